import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { create as createTar } from "tar";
import { expect, test } from "vitest";
import type { State } from "../../../src/emulator/state/state.ts";
import { temporaryDirectory } from "../../helpers/api-server.ts";
import { serveCloudBuild, storeSource } from "../../helpers/cloud-build.ts";

test.for<[string, (state: State) => Promise<object>, RegExp]>([
  ["is not there", async () => ({ storageSource: { bucket: "none", object: "x" } }), /The specified bucket does not exist/],
  [
    "isn't an archive",
    (state) => storeSource(state, Readable.from([Buffer.from("hello ".repeat(1000))])),
    /failed to fetch storage source/,
  ],
  [
    "is cut off",
    async (state) => {
      const chunks: Uint8Array[] = [];
      const folder = temporaryDirectory();
      writeFileSync(join(folder, "big"), Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7919) % 251)));
      for await (const chunk of createTar({ gzip: true, cwd: folder }, ["."])) chunks.push(chunk);
      const whole = Buffer.concat(chunks);
      return storeSource(state, Readable.from([whole.subarray(0, whole.length / 2)]));
    },
    /failed to fetch storage source/,
  ],
  [
    "leads out of its folder",
    async (state) => {
      const folder = temporaryDirectory();
      mkdirSync(join(folder, "in"));
      writeFileSync(join(folder, "evil"), "evil");
      return storeSource(state, createTar({ gzip: true, cwd: join(folder, "in"), preservePaths: true }, ["../evil"]));
    },
    /path contains '\.\.'/,
  ],
])("a build whose source %s fails with the reason", async ([, source, reason]) => {
  const cloudBuild = await serveCloudBuild();
  const { id } = await cloudBuild.submit("", { source: await source(cloudBuild.state) });
  const build = await cloudBuild.finish(id);
  expect(build).toMatchObject({ status: "FAILURE", failureInfo: { type: "FETCH_SOURCE_FAILED" } });
  expect(build["statusDetail"]).toMatch(reason);
});

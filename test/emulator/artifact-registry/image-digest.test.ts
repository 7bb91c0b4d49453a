import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { digestImage } from "../../../src/emulator/artifact-registry/image-digest.ts";
import { temporaryDirectory } from "../../helpers/api-server.ts";

const CONFIG = { Env: ["A=1"], Entrypoint: [], Cmd: ["node", "."], WorkingDir: "/", User: "" };

function makeImage(): string {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, "sub"));
  writeFileSync(join(directory, "sub", "file"), "content", { mode: 0o644 });
  symlinkSync("file", join(directory, "sub", "link"));
  return directory;
}

test("equal files and configs have equal digests wherever they are", async () => {
  const digest = await digestImage(makeImage(), CONFIG);
  expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(await digestImage(makeImage(), { ...CONFIG })).toBe(digest);
});

test.for<[string, (directory: string) => void]>([
  ["a file's content", (directory) => writeFileSync(join(directory, "sub", "file"), "other")],
  ["a file's name", (directory) => writeFileSync(join(directory, "sub", "file2"), "")],
  ["whether a file can be run", (directory) => chmodSync(join(directory, "sub", "file"), 0o755)],
  ["a link", (directory) => symlinkSync("sub", join(directory, "link"))],
  ["an empty folder", (directory) => mkdirSync(join(directory, "empty"))],
])("%s changes the digest", async ([, change]) => {
  const directory = makeImage();
  const before = await digestImage(directory, CONFIG);
  change(directory);
  expect(await digestImage(directory, CONFIG)).not.toBe(before);
});

test("another config changes the digest", async () => {
  const directory = makeImage();
  expect(await digestImage(directory, { ...CONFIG, Cmd: ["node", "x"] })).not.toBe(await digestImage(directory, CONFIG));
});

import { existsSync } from "node:fs";
import { afterAll, expect } from "vitest";
import { openContainerMachine } from "../helpers/container-machine.ts";
import { startEmulator, tinyService } from "../helpers/emulator.ts";
import { requires, testNeeding } from "../helpers/requirements.ts";

const podman = requires("podman");
const machine = podman.available ? await openContainerMachine(podman.path, ["node"], afterAll) : undefined;

/** Reports its identity from the metadata server, and on request uses up its memory. */
const SERVER = `
const http = require("node:http");
// The first process of a container ignores SIGTERM unless it has a handler.
process.on("SIGTERM", () => process.exit(0));
const metadata = (path) => fetch("http://" + process.env.GCE_METADATA_HOST + "/computeMetadata/v1/" + path, { headers: { "Metadata-Flavor": "Google" } }).then((answer) => answer.text());
http.createServer(async (request, response) => {
  if (request.url === "/eat") for (const eaten = []; ; ) eaten.push(Buffer.alloc(1 << 20, 1));
  const email = await metadata("instance/service-accounts/default/email");
  response.end(JSON.stringify({ email, uid: process.getuid(), service: process.env.K_SERVICE }));
}).listen(process.env.PORT, process.env.HOST);
`;

testNeeding(
  "podman",
  "a service in a container knows its account, is replaced when it exceeds its memory, and leaves nothing behind",
  async () => {
    const { env, tell } = machine!;
    const emulator = await startEmulator(undefined, { engine: "container", env });
    const { project } = emulator;
    expect(emulator.status().engine).toMatchObject({ name: "container", program: "podman" });
    const limits = { memory: "256Mi", cpu: "500m" };
    const { ready, url, host } = await emulator.deploy("boxed", tinyService(SERVER), { resources: { limits } });
    expect(ready).toMatchObject({ status: "True" });

    const call = async (path: string) => {
      const headers = { authorization: `Bearer ${await emulator.idToken(url)}` };
      return emulator.request("GET", host, path, { token: "", headers });
    };
    expect(await call("/")).toMatchObject({ status: 403 });
    await emulator.grant("boxed", `serviceAccount:caller@${project}.iam.gserviceaccount.com`);
    const answer = { email: expect.stringMatching(/@developer\.gserviceaccount\.com$/), uid: 0, service: "boxed" };
    expect((await call("/")).json).toEqual(answer);
    expect((await call("/eat")).status).toBeGreaterThanOrEqual(500);
    await expect.poll(async () => JSON.parse((await call("/")).text.replace(/^<[^]*/, "null"))).toEqual(answer);

    const kept = async () => [await tell("ps", "--all", "--quiet"), await tell("images", "--quiet", "localhost/cloudrun-oauth")];
    expect(await kept()).toEqual([expect.stringMatching(/^\w+$/), expect.stringMatching(/^\w+$/)]);
    await emulator.remove();
    expect([...(await kept()), existsSync(emulator.directory)]).toEqual(["", "", false]);
  },
);

testNeeding("podman", "a reset removes the images", async () => {
  const { env, tell } = machine!;
  const emulator = await startEmulator(undefined, { engine: "container", env });
  await emulator.deploy("before", tinyService(SERVER));
  const before = await tell("images", "--quiet", "localhost/cloudrun-oauth");
  const headers = { "x-cloudrun-oauth": "emulator" };
  const { status } = await emulator.request("POST", `127.0.0.1:${emulator.port}`, "/_emulator/reset", { token: "", headers });
  expect(status).toBe(200);
  expect([before, await tell("images", "--quiet", "localhost/cloudrun-oauth")]).toEqual([expect.stringMatching(/^\w+$/), ""]);
});

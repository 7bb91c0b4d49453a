import { once } from "node:events";
import { expect, test } from "vitest";
import { newcomer } from "../helpers/bin.ts";
import { openCaller, serveService } from "../helpers/caller.ts";
import { look, type Held } from "../helpers/process-figures.ts";

const CHUNK = Buffer.alloc(1024 * 1024, "x");
/** In MiB: what is downloaded, and how much more memory that may take. */
const BODY = 1024;
const MOST = 150;

/** What leads to a token endpoint, and a key that it takes. */
async function openEnvironment() {
  const { CLOUDRUN_OAUTH_EMULATOR, CREDS } = (await openCaller()).environment;
  return { CLOUDRUN_OAUTH_EMULATOR, CREDS };
}

test.skipIf(process.platform !== "linux")("1 GiB is downloaded in little memory", { timeout: 300_000 }, async () => {
  const env = await openEnvironment();
  const seen: Held[] = [];
  const url = await serveService(async (_, response) => {
    seen.push(look(invoke.pid ?? 0));
    response.writeHead(200, { "Content-Length": BODY * CHUNK.length });
    for (let left = BODY; left > 1; left -= 1) if (!response.write(CHUNK)) await once(response, "drain");
    seen.push(look(invoke.pid ?? 0));
    response.end(CHUNK);
  });
  const invoke = newcomer().start(["invoke", "--url", url, "-o", "/dev/null"], { env });
  const { exitCode, stdout } = await invoke;
  expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({ exitCode: 0, status_code: 200, bytes: BODY * CHUNK.length });
  const [before, after] = seen as [Held, Held];
  expect(after.peak - before.memory).toBeLessThan(MOST);
});

test("the process ends with its last answer, although other answers never ended", async () => {
  const env = await openEnvironment();
  let busy = true;
  const url = await serveService((request, response) => {
    if (request.url === "/end") return void response.end("end");
    if (busy) response.writeHead(503);
    else response.writeHead(302, { Location: "/end" });
    busy = false;
    response.write("on and on");
  });
  const flags = ["--url", url, "-L", "--max-time", "10m", "--json"];
  const { exitCode, stdout } = await newcomer().run(["invoke", "/a", "/b", ...flags], { env });
  expect([exitCode, JSON.parse(stdout)]).toEqual([0, [1, 2].map(() => ({ status_code: 200, response: "end" }))]);
});

test("who has read enough of a stream ends it", async () => {
  const env = await openEnvironment();
  let ended = () => {};
  const isOver = new Promise<void>((resolve) => (ended = resolve));
  const url = await serveService((_, response) => {
    const dripping = setInterval(() => response.write("data: x\n\n"), 10);
    response.once("close", () => {
      clearInterval(dripping);
      ended();
    });
  });
  const invoke = newcomer().start(["invoke", "--url", url, "--raw"], { env });
  invoke.stdout.once("data", () => invoke.stdout.destroy());
  await isOver;
  expect((await invoke).exitCode).toBe(0);
});

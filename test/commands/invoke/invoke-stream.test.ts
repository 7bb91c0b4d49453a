import type { ServerResponse } from "node:http";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { run as runMain } from "../../../src/main.ts";
import { openCaller, serveService } from "../../helpers/caller.ts";

/** Runs the command line with a stdout that the test reads when it wants to. */
async function open(flags: readonly string[]) {
  const { environment, home } = await openCaller();
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const exitCode = runMain(["invoke", ...flags], {
    stdin,
    stdout,
    stderr,
    cwd: home,
    env: { PATH: "", ...environment },
    self: [],
    signal: end.signal,
  });
  return { stdout, exitCode };
}

test.for(["--raw", "--no-buffer", "-N"])("with %s, events are printed as they arrive", async (flag) => {
  const answers: ServerResponse[] = [];
  const url = await serveService((_, response) => {
    answers.push(response.writeHead(200, { "Content-Type": "text/event-stream" }));
    response.write("data: 1\n\n");
  });
  const { stdout, exitCode } = await open(["--url", url, flag]);
  let printed = "";
  stdout.on("data", (chunk: Buffer) => {
    printed += chunk.toString("utf8");
    // The second event is sent only when the first has arrived.
    answers.pop()?.end("data: 2\n\n");
  });
  expect([await exitCode, printed]).toEqual([0, "data: 1\n\ndata: 2\n\n"]);
});

test("without --raw, a note says that the events are printed at the end", async () => {
  const { run } = await openCaller();
  const url = await serveService((_, response) => void response.writeHead(200, { "Content-Type": "text/event-stream" }).end("data: 1\n\n"));
  const { stdout, stderr } = await run(["invoke", "--url", url]);
  expect(JSON.parse(stdout).response).toBe("data: 1\n\n");
  expect(stderr).toContain("to print events as they arrive, pass --raw");
});

test("a body is received no faster than it is read", async () => {
  let sent = 0;
  const chunk = Buffer.alloc(1024 * 1024);
  const url = await serveService(async (_, response) => {
    for (let left = 100; left > 0; left -= 1) {
      sent += 1;
      if (!response.write(chunk)) await new Promise((drained) => response.once("drain", drained));
    }
    response.end();
  });
  const { stdout, exitCode } = await open(["--url", url, "--raw"]);
  // Sockets and streams buffer a few megabytes.
  for (let before = -1; sent === 0 || sent !== before; await sleep(250)) before = sent;
  expect(sent).toBeLessThan(50);
  let bytes = 0;
  stdout.on("data", (each: Buffer) => (bytes += each.length));
  expect([await exitCode, bytes]).toEqual([0, 100 * chunk.length]);
});

test.for([
  ["an answer that does not come", "/never"],
  ["a body that drips", "/drip"],
  ["a redirect to one that does not come", "/redirect"],
  ["attempts that all fail", "/busy"],
] as const)("--max-time ends %s", async ([, path]) => {
  const { run } = await openCaller();
  const url = await serveService((request, response) => {
    if (request.url === "/drip") {
      const drip = setInterval(() => response.write("."), 20);
      response.once("close", () => clearInterval(drip));
    }
    if (request.url === "/redirect") response.writeHead(302, { Location: "/never" }).end();
    if (request.url === "/busy") response.writeHead(503, { "Retry-After": "50" }).end();
  });
  for (const flag of ["--include", "--raw", "--output=file"]) {
    const { exitCode, stderr } = await run(["invoke", path, "--url", url, "-L", "--max-time", "300ms", flag]);
    expect([exitCode, stderr]).toEqual([7, expect.stringContaining("Request timed out after 0.3 s (--max-time). [TIMEOUT]")]);
  }
});

test("a call that takes longer than 5 seconds says that it is waiting, and for how long", { timeout: 30_000 }, async () => {
  const { run } = await openCaller();
  const url = await serveService(() => {});
  const { exitCode, stderr } = await run(["invoke", "--url", url, "--max-time", "5500ms"]);
  expect([exitCode, stderr]).toEqual([7, expect.stringContaining(`Still waiting for a response from ${new URL(url).host} (up to 5.5 s).`)]);
});

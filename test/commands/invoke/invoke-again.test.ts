import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { expect, test } from "vitest";
import { forbidden, unauthorized } from "../../../src/emulator/front-door/error-pages.ts";
import type { HttpResponse } from "../../../src/emulator/server/http-response.ts";
import { CliError } from "../../../src/errors/cli-error.ts";
import { openCaller, serveService } from "../../helpers/caller.ts";
import { listen } from "../../helpers/listen.ts";

const page =
  ({ status, headers, body }: HttpResponse): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { ...headers, server: "Google Frontend" }).end(body);
const answer =
  (status: number, body = ""): RequestListener =>
  (_, response) =>
    void response.writeHead(status).end(body);

/** Sends the responses in order, then repeats the last one; counts requests. */
async function serveInTurn(...listeners: readonly RequestListener[]) {
  const seen: (string | undefined)[] = [];
  const url = await serveService((request, response) => {
    seen.push(request.headers.authorization);
    listeners[Math.min(seen.length, listeners.length) - 1]?.(request, response);
  });
  return { url, seen };
}

test("a busy service is called again, up to --retries times", async () => {
  const { run } = await openCaller();
  const { url, seen } = await serveInTurn(answer(503), answer(429), answer(200, "ok"));
  expect(await run(["invoke", "--url", url])).toMatchObject({ exitCode: 0, stderr: "" });
  expect(seen).toHaveLength(3);
  const busy = await serveInTurn(answer(503, "busy"));
  expect(await run(["invoke", "--url", busy.url, "--retries", "1"])).toMatchObject({
    exitCode: 8,
    stdout: expect.stringContaining("busy"),
  });
  expect(await run(["invoke", "--url", busy.url, "--retries", "0"])).toMatchObject({ exitCode: 8 });
  expect(busy.seen).toHaveLength(3);
});

test("requests that aren't idempotent are sent once, unless --retry-all is set", async () => {
  const { run } = await openCaller();
  for (const [flags, exitCode, times] of [
    [["-d", "x"], 8, 1],
    [["-d", "x", "--retry-all"], 0, 2],
    [["-X", "PUT", "-d", "x"], 0, 2],
  ] as const) {
    const { url, seen } = await serveInTurn(answer(503), answer(200));
    expect(await run(["invoke", "--url", url, ...flags])).toMatchObject({ exitCode });
    expect(seen).toHaveLength(times);
  }
});

test.for([
  [page(forbidden("/")), 9],
  [page(unauthorized("/")), 9],
  [answer(500), 8],
] as const)("a permanent failure isn't retried: %#", async ([listener, exitCode]) => {
  const { run } = await openCaller();
  const { url, seen } = await serveInTurn(listener);
  expect(await run(["invoke", "--url", url])).toMatchObject({ exitCode });
  expect(seen).toHaveLength(1);
});

test("several paths share a token and a connection, with one document each, or one list under --json", async () => {
  const { run } = await openCaller();
  let connections = 0;
  const tokens = new Set();
  const server = createServer((request, response) => {
    tokens.add(request.headers.authorization);
    response
      .setHeader("Content-Type", "application/json")
      .end(JSON.stringify({ path: request.url, big: 1 }).replace("1", "12345678901234567890"));
  }).on("connection", () => void (connections += 1));
  const url = `http://127.0.0.1:${await listen(server)}`;
  const documents = await run(["invoke", "/a", "/b", "--url", url, "--verbose"]);
  const document = (path: string) =>
    `{\n  "status_code": 200,\n  "response": {\n    "path": "${path}",\n    "big": 12345678901234567890\n  }\n}\n`;
  expect(documents).toMatchObject({ exitCode: 0, stdout: `${document("/a")}${document("/b")}` });
  expect(documents.stderr.match(/oauth2\.googleapis\.com\/token →/g)).toHaveLength(1);
  expect([connections, tokens.size]).toEqual([1, 1]);

  const list = await run(["invoke", "/a", "/b", "--url", url, "--json"]);
  expect(list.stdout).toBe(`[\n${(document("/a").trimEnd() + ",\n" + document("/b").trimEnd()).replaceAll(/^/gm, "  ")}\n]\n`);
  expect(JSON.parse((await run(["invoke", "--repeat", "1", "--url", url, "--json"])).stdout)).toHaveLength(1);
});

test("all of several calls are made, and the error says how many failed and why the first one did", async () => {
  const { run } = await openCaller();
  const url = await serveService((request, response) => void response.writeHead(request.url === "/ok" ? 200 : 404).end(request.url));
  const { exitCode, stdout, stderr } = await run(["invoke", "/x", "/ok", "/y", "--url", url, "--json"]);
  expect([exitCode, JSON.parse(stdout).map(({ response }: { response: string }) => response)]).toEqual([8, ["/x", "/ok", "/y"]]);
  expect(stderr).toContain(`Warning: ${url}/y: Service returned 404 Not Found.`);
  expect(JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "").error).toMatchObject({
    code: "HTTP_STATUS",
    message: "2 of 3 requests failed. First error: Service returned 404 Not Found.",
    details: { calls: 3, failed: 2, url: `${url}/x` },
  });
});

test("--repeat calls N times, and prints what there is if a call gets no response", async () => {
  const { run } = await openCaller();
  const { url, seen } = await serveInTurn(answer(200, "a"), answer(200, "b"), (request) => void request.socket.destroy());
  const { exitCode, stdout } = await run(["invoke", "--url", url, "--repeat", "5", "--json", "--retries", "0"]);
  expect([exitCode, JSON.parse(stdout).map(({ response }: { response: string }) => response)]).toEqual([7, ["a", "b"]]);
  expect(seen).toHaveLength(3);
});

test("--watch continues after failures until it is stopped, with one line each under --json", async () => {
  const { run } = await openCaller();
  const end = new AbortController();
  const { url } = await serveInTurn(
    answer(200, "a"),
    (request) => void request.socket.destroy(),
    answer(500, "c"),
    answer(200, "d"),
    () => end.abort(new CliError("INTERRUPTED", "Interrupted.")),
  );
  const { exitCode, stdout, stderr } = await run(["invoke", "--url", url, "--watch", "10ms", "--json", "--retries", "0"], {
    signal: end.signal,
  });
  expect([exitCode, stdout]).toEqual([
    130,
    ["200 a", "500 c", "200 d"].map((line) => `{"status_code":${line.replace(" ", ',"response":"')}"}\n`).join(""),
  ]);
  expect(stderr).toContain("the connection was closed unexpectedly");
  expect(stderr).toContain("Service returned 500 Internal Server Error.");
  expect(stderr).toMatch(/^\d\d:\d\d:\d\d GET http:\/\/127\.0\.0\.1:\d+\/: 200 \(\d+ ms\)$/m);
  expect(stderr).not.toContain("Error: ");
});

test("--wait-for calls until the status matches; a refusal doesn't end it, and can be the awaited status", async () => {
  const { run } = await openCaller();
  const young = await serveInTurn((request) => void request.socket.destroy(), page(forbidden("/")), answer(503), answer(200, "in"));
  const { exitCode, stdout, stderr } = await run(["invoke", "--url", young.url, "--wait-for", "200"]);
  expect([exitCode, JSON.parse(stdout)]).toEqual([0, { status_code: 200, response: "in" }]);
  expect(stderr).toMatch(/^Waiting for 200 from 127\.0\.0\.1:\d+ \(up to 10 minutes\): /);
  expect(young.seen).toHaveLength(4);
  const revoked = await serveInTurn(answer(200), page(forbidden("/")));
  expect(await run(["invoke", "--url", revoked.url, "--wait-for", "403"])).toMatchObject({ exitCode: 0 });
  const never = await serveInTurn(page(forbidden("/")));
  expect(await run(["invoke", "--url", never.url, "--wait-for", "2xx", "--timeout", "4s"])).toMatchObject({
    exitCode: 7,
    stdout: "",
    stderr: expect.stringMatching(/Waiting for 2xx .*: .*permission to invoke[\s\S]*\[TIMEOUT\]/),
  });
});

test("a token that was accepted and then rejected is fetched again, once", async () => {
  const { run } = await openCaller();
  const changed = await serveInTurn(answer(200, "a"), page(unauthorized("/")), answer(200, "b"));
  const once = await run(["invoke", "--url", changed.url, "--repeat", "2", "--verbose"]);
  expect([once.exitCode, once.stdout.match(/"response": "(.)"/g)]).toEqual([0, ['"response": "a"', '"response": "b"']]);
  expect(once.stderr.match(/oauth2\.googleapis\.com\/token →/g)).toHaveLength(2);
  const closed = await serveInTurn(answer(200), page(unauthorized("/")));
  expect(await run(["invoke", "--url", closed.url, "--repeat", "2"])).toMatchObject({ exitCode: 9 });
  expect(closed.seen).toHaveLength(3);
});

test("on GitHub Actions the outputs are the last call's", async () => {
  const { run, home } = await openCaller();
  const env = { GITHUB_ACTIONS: "true", GITHUB_OUTPUT: `${home}/output`, GITHUB_STEP_SUMMARY: `${home}/summary` };
  const { url } = await serveInTurn(answer(200), answer(201));
  await run(["invoke", "--url", url, "--repeat", "2"], { env });
  expect(readFileSync(env.GITHUB_OUTPUT, "utf8")).toMatch(/^status_code<<(\S+)\n201\n\1\n$/);
});

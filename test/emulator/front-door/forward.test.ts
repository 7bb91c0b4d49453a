import { once } from "node:events";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { expect, test, vi } from "vitest";
import { openFrontDoor } from "../../helpers/front-door.ts";

const MIB = 1024 * 1024;

/** The path selects the behavior. */
const SERVICE = `
let heard;
const sleep = (ms) => new Promise((passed) => setTimeout(passed, ms));
require("node:http").createServer(async (request, response) => {
  const { url, method, headers, rawHeaders } = request;
  request.on("error", () => {});
  response.on("close", () => response.writableFinished || console.log("gone", url));
  if (url === "/headers") return response.end(JSON.stringify({ method, rawHeaders }));
  if (url === "/size") { let size = 0; for await (const chunk of request) size += chunk.length; return response.end(String(size)); }
  if (url === "/events") {
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    for (const count of [1, 2, 3]) {
      response.write("data: " + count + "\\n\\n");
      // The next one is not written before the caller has read this one.
      await new Promise((told) => (heard = told));
    }
    return response.end();
  }
  if (url === "/heard") {
    heard();
    return response.end();
  }
  if (url === "/silence") return response.writeHead(200).flushHeaders();
  if (url.startsWith("/bytes/")) {
    const size = Number(url.split("/")[2]);
    if (!url.endsWith("/chunked")) response.setHeader("content-length", size);
    response.write(Buffer.alloc(size / 2));
    return response.end(Buffer.alloc(size / 2));
  }
  if (url === "/never") return;
  if (url === "/half") { response.writeHead(200, { "content-length": 100 }).write("half"); await sleep(50); return response.destroy(); }
  response.end("ok");
}).listen(process.env.PORT);
`;

async function text(answer: Readable): Promise<string> {
  return Buffer.concat(await answer.toArray()).toString();
}

test("a service gets the caller's headers, with those of the front end and without hop-by-hop ones", async () => {
  const { call, host } = await openFrontDoor({ script: SERVICE });
  const headers = {
    "X-Own": "1",
    Cookie: "a=1",
    "X-Forwarded-For": "10.0.0.1",
    "X-Forwarded-Proto": "http",
    Expect: "100-continue",
    TE: "trailers",
    "Keep-Alive": "timeout=1",
  };
  const { method, rawHeaders } = JSON.parse(await text(await call("/headers", { headers })));
  expect(method).toBe("GET");
  const seen = Object.fromEntries(
    rawHeaders.flatMap((name: string, index: number) => (index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1]]] : [])),
  );
  expect(seen).toMatchObject({
    host,
    "x-own": "1",
    cookie: "a=1",
    te: "trailers",
    "x-forwarded-for": "10.0.0.1,127.0.0.1",
    "x-forwarded-proto": "https",
    forwarded: 'for="127.0.0.1";proto=https',
    traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
  });
  expect(Object.keys(seen)).toEqual(expect.not.arrayContaining(["expect", "keep-alive", "transfer-encoding"]));
});

test("events and heads reach the caller as soon as the service sends them", async () => {
  const { call } = await openFrontDoor({ script: SERVICE });
  const answer = await call("/events");
  const events: string[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    events.push(String(chunk));
    expect((await call("/heard")).statusCode).toBe(200);
  }
  expect(events).toEqual(["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"]);
  expect((await call("/silence")).statusCode).toBe(200);
});

test("a request of more than 32 MiB is answered 413, with or without a length", async () => {
  const { call } = await openFrontDoor({ script: SERVICE });
  expect(await text(await call("/size", { method: "POST", body: Buffer.alloc(32 * MIB) }))).toBe(String(32 * MIB));
  const said = await call("/size", { method: "POST", body: Buffer.alloc(32 * MIB + 1) });
  const unsaid = await call("/size", {
    method: "POST",
    body: Readable.from(
      (function* () {
        for (let count = 0; count < 40; count += 1) yield Buffer.alloc(MIB);
      })(),
    ),
  });
  for (const answer of [said, unsaid]) {
    expect([answer.statusCode, await text(answer)]).toEqual([413, expect.stringContaining("<h1>Error: Request Entity Too Large</h1>")]);
  }
});

test("a response of more than 32 MiB must be streamed", async () => {
  const { call } = await openFrontDoor({ script: SERVICE });
  const most = 32 * MIB;
  expect((await text(await call(`/bytes/${most}`))).length).toBe(most);
  expect((await text(await call(`/bytes/${most + 2}/chunked`))).length).toBe(most + 2);
  const refused = await call(`/bytes/${most + 2}`);
  expect([refused.statusCode, await text(refused)]).toEqual([500, expect.stringContaining("Response size was too large.")]);
  expect((await call(`/bytes/${most + 2}`, { method: "HEAD" })).statusCode).toBe(200);
});

test("a response that exceeds the request timeout becomes 504 if it hasn't begun, and is aborted if it has", async () => {
  const { call, lines } = await openFrontDoor({ script: SERVICE, spec: { timeoutSeconds: 1 } });
  const never = await call("/never");
  expect([never.statusCode, await text(never)]).toEqual([504, expect.stringContaining("reached the maximum request timeout")]);
  await expect(text(await call("/silence"))).rejects.toThrow("aborted");
  await vi.waitFor(() => expect(lines).toEqual(["stdout gone /never", "stdout gone /silence"]));
});

test("a request ends for the service when its caller goes away", async () => {
  const { call, lines } = await openFrontDoor({ script: SERVICE });
  (await call("/silence")).destroy();
  await vi.waitFor(() => expect(lines).toEqual(["stdout gone /silence"]));
});

/** Breaks reused connections as the path tells, and answers all other requests. */
const BREAKS_REUSED_CONNECTIONS = `
require("node:http").createServer((request, response) => {
  const { socket, url } = request;
  console.log(request.method, url);
  if (url === "/never") return;
  const isReused = socket.isReused;
  socket.isReused = true;
  if (isReused && url === "/reset") return socket.resetAndDestroy();
  if (isReused && url === "/half") return socket.write("HTTP/1.1 200 OK\\r\\nX-Ha", () => setTimeout(() => socket.resetAndDestroy(), 50));
  response.end("ok");
}).listen(process.env.PORT);
`;

test.for([
  ["GET", "/reset", 200, 2],
  ["DELETE", "/reset", 200, 2],
  ["POST", "/reset", 503, 1],
  ["GET", "/half", 503, 1],
  ["GET", "/never", 504, 1],
] as const)("%s %s on a reused connection is answered %d and sent %d time(s)", async ([method, path, status, times]) => {
  const { call, lines } = await openFrontDoor({ script: BREAKS_REUSED_CONNECTIONS, spec: { timeoutSeconds: 1 } });
  expect(await text(await call("/"))).toBe("ok");
  const answer = await call(path, { method });
  expect(answer.statusCode).toBe(status);
  await answer.toArray();
  expect(lines).toEqual(["stdout GET /", ...Array.from({ length: times }, () => `stdout ${method} ${path}`)]);
});

test("a request whose caller goes away isn't sent again", async () => {
  const { call, lines, port, host } = await openFrontDoor({ script: BREAKS_REUSED_CONNECTIONS });
  await text(await call("/"));
  const caller = connect(port, "127.0.0.1");
  caller.write(`GET /never HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await vi.waitFor(() => expect(lines).toContain("stdout GET /never"));
  caller.destroy();
  await text(await call("/"));
  expect(lines).toEqual(["stdout GET /", "stdout GET /never", "stdout GET /"]);
});

test("a request to upgrade to a protocol other than WebSocket is answered without the upgrade", async () => {
  const { call } = await openFrontDoor({ script: SERVICE });
  const headers = { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AAMAAABkAARAAAAAAAIAAAAA" };
  expect(await text(await call("/size", { method: "POST", headers, body: Buffer.alloc(100_000) }))).toBe("100000");
});

test("a caller that waits for 100 Continue gets it", async () => {
  const { tunnel, host } = await openFrontDoor({ script: SERVICE });
  const socket = await tunnel()("http/1.1");
  socket.write(`POST /size HTTP/1.1\r\nHost: ${host}\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n`);
  expect(String((await once(socket, "data"))[0])).toBe("HTTP/1.1 100 Continue\r\n\r\n");
  socket.write("body");
  expect(Buffer.concat(await socket.toArray()).toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*4/);
});

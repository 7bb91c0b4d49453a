import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { Readable } from "node:stream";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { CliError } from "../../src/errors/cli-error.ts";
import { createSend } from "../../src/http/client.ts";
import { failure } from "../helpers/failure.ts";
import { listen } from "../helpers/listen.ts";

const serve = (listener: RequestListener) => listen(createServer(listener));
const direct = createSend({ env: {} });
/** Sends a request to a local port without a proxy. */
const request = (port: number, path = "/", method = "GET") => direct({ method, url: `http://127.0.0.1:${port}${path}` });

function seen(request: IncomingMessage) {
  return { method: request.method, url: request.url, host: request.headers.host };
}

test("a request arrives with its method, all its headers, and its body", async () => {
  const port = await serve(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    response.setHeader("X-Twice", ["a", "b"]);
    response.end(
      JSON.stringify({
        ...seen(request),
        names: request.headersDistinct["x-name"],
        length: request.headers["content-length"],
        body: Buffer.concat(chunks).toString(),
      }),
    );
  });
  const answer = await direct({
    method: "PUT",
    url: `http://127.0.0.1:${port}/a%20b?c=d`,
    headers: [
      ["X-Name", "one"],
      ["x-name", "zwei"],
    ],
    body: "grüße",
  });
  expect(answer.status).toBe(200);
  expect(answer.headers["x-twice"]).toBe("a, b");
  expect(await answer.json()).toEqual({
    method: "PUT",
    url: "/a%20b?c=d",
    host: `127.0.0.1:${port}`,
    names: ["one", "zwei"],
    length: "7",
    body: "grüße",
  });
});

test("a stream body is sent as it is read", async () => {
  const port = await serve((request, response) => void request.pipe(response));
  const size = 3_000_000;
  const answer = await direct({
    method: "POST",
    url: `http://127.0.0.1:${port}/`,
    body: Readable.from([Buffer.alloc(size, 1), Buffer.alloc(size, 2)]),
  });
  const bytes = await answer.bytes();
  expect([bytes.length, bytes[size - 1], bytes[size]]).toEqual([2 * size, 1, 2]);
});

test("one connection serves several requests", async () => {
  let connections = 0;
  const server = createServer((_, response) => response.end("ok"));
  server.on("connection", () => (connections += 1));
  const port = await listen(server);
  for (let round = 0; round < 5; round += 1) expect(await (await request(port)).text()).toBe("ok");
  expect(connections).toBe(1);
});

test.for([
  ["gzip", gzipSync],
  ["deflate", deflateSync],
  ["br", brotliCompressSync],
] as const)("a body in %s is decoded", async ([encoding, compress]) => {
  const port = await serve((_, response) => {
    response.setHeader("Content-Encoding", encoding);
    response.end(compress('{"a":1}'));
  });
  expect(await (await request(port)).json()).toEqual({ a: 1 });
  expect(await (await request(port, "/", "HEAD")).text()).toBe("");
});

test("a redirect is returned like any other response", async () => {
  const port = await serve((_, response) => response.writeHead(302, { Location: "/elsewhere" }).end());
  const answer = await request(port);
  expect([answer.status, answer.headers.location]).toEqual([302, "/elsewhere"]);
});

test.for([
  "https://svc-abc-uc.a.run.app/hello?x=1",
  "https://us-central1-run.googleapis.com/hello?x=1",
  "http://metadata.google.internal/hello?x=1",
  "https://accounts.google.com/hello?x=1",
])("%s goes to the emulator under its own host name, past every proxy", async (url) => {
  const port = await serve((request, response) => response.end(JSON.stringify(seen(request))));
  const send = createSend({
    env: { CLOUDRUN_OAUTH_EMULATOR: `http://127.0.0.1:${port}`, HTTPS_PROXY: "http://127.0.0.1:1", HTTP_PROXY: "http://127.0.0.1:1" },
  });
  expect(await (await send({ method: "GET", url })).json()).toEqual({ method: "GET", url: "/hello?x=1", host: new URL(url).host });
});

test("a host that only looks like Google's isn't sent to the emulator", async () => {
  const port = await serve((_, response) => response.end("emulator"));
  const env = { CLOUDRUN_OAUTH_EMULATOR: `http://127.0.0.1:${port}`, HTTPS_PROXY: "http://127.0.0.1:1" };
  for (const host of ["evilrun.app", "run.app.example.test", "accounts.google.com.example.test"]) {
    expect(await failure(createSend({ env })({ method: "POST", url: `https://${host}/` }))).toMatchObject({ code: "UNAVAILABLE" });
  }
});

test("an emulator that isn't running and one that isn't local have errors of their own", async () => {
  const url = "https://svc-abc-uc.a.run.app/";
  expect(await failure(createSend({ env: { CLOUDRUN_OAUTH_EMULATOR: "http://127.0.0.1:1" } })({ method: "GET", url }))).toMatchObject({
    code: "EMULATOR_NOT_RUNNING",
  });
  for (const address of ["http://192.0.2.1:8080", "https://127.0.0.1:1", "nonsense"]) {
    expect(() => createSend({ env: { CLOUDRUN_OAUTH_EMULATOR: address } })).toThrow(expect.objectContaining({ code: "SETTINGS_INVALID" }));
  }
});

test("a proxy gets an http URL as a whole, with the proxy's credential", async () => {
  const port = await serve((request, response) =>
    response.end(JSON.stringify({ ...seen(request), authorization: request.headers["proxy-authorization"] })),
  );
  const send = createSend({ env: { http_proxy: `http://me:p%40ss@127.0.0.1:${port}` } });
  expect(await (await send({ method: "GET", url: "http://service.example.test:81/a?b" })).json()).toEqual({
    method: "GET",
    url: "http://service.example.test:81/a?b",
    host: "service.example.test:81",
    authorization: `Basic ${Buffer.from("me:p@ss").toString("base64")}`,
  });
});

test("an http URL on loopback or in NO_PROXY bypasses the proxy", async () => {
  const port = await serve((request, response) => response.end(request.url));
  const env = { HTTP_PROXY: "http://127.0.0.1:1" };
  expect(await (await createSend({ env })({ method: "GET", url: `http://127.0.0.1:${port}/direct` })).text()).toBe("/direct");
  expect(await (await createSend({ env })({ method: "GET", url: `http://localhost:${port}/direct` })).text()).toBe("/direct");
});

test.for(["socks5://127.0.0.1:1080", "http://"])("HTTPS_PROXY=%s is refused before anything is sent", (value) => {
  expect(() => createSend({ env: { HTTPS_PROXY: value } })).toThrow(
    expect.objectContaining({ code: "SETTINGS_INVALID", message: "HTTPS_PROXY isn't the URL of an HTTP proxy." }),
  );
});

test("a refused connection is tried three times for a GET and once for a POST, and the error names host and cause", async () => {
  for (const [method, attempts] of [
    ["GET", 3],
    ["POST", 1],
  ] as const) {
    const lines: string[] = [];
    const error = await failure(createSend({ env: {}, debug: (line) => lines.push(line) })({ method, url: "http://127.0.0.1:1/" }));
    expect(error).toMatchObject({ code: "UNAVAILABLE", message: "Can't reach 127.0.0.1:1: connection refused (ECONNREFUSED)." });
    expect(lines).toHaveLength(attempts);
  }
});

test("a GET whose connection breaks off succeeds at the next attempt", async () => {
  let attempts = 0;
  const port = await serve((request, response) => {
    attempts += 1;
    if (attempts < 3) request.socket.destroy();
    else response.end("third");
  });
  expect(await (await request(port)).text()).toBe("third");
});

test("a response that broke off before it is read is an error too", async () => {
  const port = await serve((_, response) => {
    response.writeHead(200, { "Content-Length": 100 });
    response.write("half", () => response.destroy());
  });
  const answer = await request(port);
  await new Promise((closed) => answer.body.once("close", closed));
  expect(await failure(answer.bytes())).toMatchObject({ code: "UNAVAILABLE" });
});

test("a response that breaks off in the middle is an error for its reader", async () => {
  const port = await serve((request, response) => {
    response.writeHead(200, { "Content-Length": 100 });
    response.write("half");
    setTimeout(() => request.socket.destroy(), 20);
  });
  const answer = await request(port);
  expect(await failure(answer.text())).toMatchObject({
    code: "UNAVAILABLE",
    message: `Can't reach 127.0.0.1:${port}: the connection was closed unexpectedly (ECONNRESET).`,
  });
});

test("a response that isn't HTTP has an error of its own", async () => {
  const port = await listen(createTcpServer((socket) => void socket.end("SSH-2.0-OpenSSH_9.2\r\n")));
  const error = await failure(request(port, "/", "POST"));
  expect(error.message).toContain("the response isn't HTTP");
});

test("an upgrade that no one asked for fails instead of hanging", async () => {
  const port = await listen(
    createTcpServer((socket) => void socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")),
  );
  expect(await failure(request(port, "/", "POST"))).toMatchObject({ code: "UNAVAILABLE" });
});

test("a host that doesn't answer in time is a TIMEOUT, without another attempt", async () => {
  let attempts = 0;
  const port = await serve(() => void (attempts += 1));
  const error = await failure(direct({ method: "GET", url: `http://127.0.0.1:${port}/`, timeoutMs: 60 }));
  expect(error).toMatchObject({ code: "TIMEOUT", message: `127.0.0.1:${port} didn't respond within 0.06 s.` });
  expect(attempts).toBe(1);
});

test("the signal ends a request, a response, and a pause, with its own reason", async () => {
  const port = await serve((request, response) => {
    if (request.url === "/half") response.write("half");
  });
  for (const url of [`http://127.0.0.1:${port}/never`, `http://127.0.0.1:${port}/half`, "http://127.0.0.1:1/"]) {
    const controller = new AbortController();
    const reason = new CliError("TIMEOUT", "--timeout is over.");
    setTimeout(() => controller.abort(reason), 60);
    const send = createSend({ env: {}, signal: controller.signal });
    expect(await failure(send({ method: "GET", url }).then((response) => response.text()))).toBe(reason);
  }
  expect(
    await failure(createSend({ env: {}, signal: AbortSignal.abort() })({ method: "GET", url: `http://127.0.0.1:${port}/` })),
  ).toMatchObject({ code: "INTERRUPTED" });
});

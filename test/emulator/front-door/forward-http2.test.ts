import { connect, constants } from "node:http2";
import { once } from "node:events";
import { expect, onTestFinished, test, vi } from "vitest";
import { exchange, openFrontDoor } from "../../helpers/front-door.ts";

/** Answers in HTTP/2 as gRPC services do, by hand. */
const GRPC = `
const server = require("node:http2").createServer();
server.on("stream", (stream, headers) => {
  const path = headers[":path"];
  stream.on("error", () => {});
  stream.on("close", () => path === "/hello.Hello/Wait" && console.log("closed", stream.rstCode));
  if (path === "/hello.Hello/Missing") {
    return stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "12", "grpc-message": "unknown method" }, { endStream: true });
  }
  stream.respond({ ":status": 200, "content-type": "application/grpc", "x-seen": JSON.stringify(headers) }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "grpc-message": "done" }));
  if (path === "/hello.Hello/Wait") return;
  if (path === "/hello.Hello/Break") return stream.write("half", () => stream.close(2));
  stream.pipe(stream);
});
server.listen(process.env.PORT);
`;
const MESSAGE = Buffer.concat([Buffer.from([0, 0, 0, 0, 5]), Buffer.from("hello")]);
const CALL = { ":method": "POST", "content-type": "application/grpc", te: "trailers", cookie: ["a=1", "b=2"] };

/** Shows what HTTP/1.1 it gets. */
const ECHO = `
require("node:http").createServer(async (request, response) => {
  const chunks = []; for await (const chunk of request) chunks.push(chunk);
  if (request.url === "/odd") response.setHeader("content-type", ["a/b", "c/d"]);
  if (request.url === "/half") { response.setHeader("content-length", 100); response.write("half"); return setTimeout(() => response.destroy(), 50); }
  response.writeHead(200, "Quite all right", { "keep-alive": "timeout=5", ...(request.method === "POST" && { trailer: "x-end" }) });
  response.write(JSON.stringify({ version: request.httpVersion, method: request.method, headers: request.headers, body: Buffer.concat(chunks).toString() }));
  if (request.method === "POST") response.addTrailers({ "x-end": "yes" });
  response.end();
}).listen(process.env.PORT);
`;

test("a gRPC call goes through in HTTP/2 from end to end, with its trailers", async () => {
  const { session, host } = await openFrontDoor({ script: GRPC, protocol: "h2c" });
  const answer = await exchange(await session(), { ...CALL, ":authority": host, ":path": "/hello.Hello/Say" }, MESSAGE);
  expect(answer.headers).toMatchObject({ ":status": 200, "content-type": "application/grpc", server: "Google Frontend" });
  expect(answer.bytes).toEqual(MESSAGE);
  expect(answer.trailers).toEqual({ "grpc-status": "0", "grpc-message": "done" });
  expect(JSON.parse(String(answer.headers["x-seen"]))).toMatchObject({
    ":authority": host,
    ":scheme": "http",
    te: "trailers",
    cookie: "a=1; b=2",
    "x-forwarded-proto": "https",
  });
});

test("messages of a gRPC stream pass both ways while it is open", async () => {
  const { session } = await openFrontDoor({ script: GRPC, protocol: "h2c" });
  const stream = (await session()).request({ ...CALL, ":path": "/hello.Hello/Chat" });
  for (const word of ["one", "two"]) {
    stream.write(word);
    expect(String((await once(stream, "data"))[0])).toBe(word);
  }
  stream.end();
  expect((await once(stream, "trailers"))[0]).toMatchObject({ "grpc-status": "0" });
});

test("a response that is only a head stays one, as gRPC's Trailers-Only must", async () => {
  const { session } = await openFrontDoor({ script: GRPC, protocol: "h2c" });
  const answer = await exchange(await session(), { ...CALL, ":path": "/hello.Hello/Missing" }, MESSAGE);
  expect(answer).toMatchObject({ isHeadOnly: true, headers: { "grpc-status": "12", "grpc-message": "unknown method" } });
});

test("a canceled call is canceled for the service, and a call that the service aborts is aborted", async () => {
  const { session, lines } = await openFrontDoor({ script: GRPC, protocol: "h2c" });
  const open = await session();
  const stream = open.request({ ...CALL, ":path": "/hello.Hello/Wait" });
  await once(stream, "response");
  stream.close(constants.NGHTTP2_CANCEL);
  await vi.waitFor(() => expect(lines).toEqual([`stdout closed ${constants.NGHTTP2_CANCEL}`]));
  await expect(exchange(open, { ...CALL, ":path": "/hello.Hello/Break" }, MESSAGE)).rejects.toThrow("NGHTTP2_INTERNAL_ERROR");
});

test("a service that speaks HTTP/2 also serves callers in HTTP/1.1, without a limit on bodies", async () => {
  const { call } = await openFrontDoor({ script: GRPC, protocol: "h2c" });
  const answer = await call("/any", { method: "POST", body: Buffer.alloc(33 * 1024 * 1024), headers: { connection: "keep-alive" } });
  expect(answer.statusCode).toBe(200);
  expect(Buffer.concat(await answer.toArray()).length).toBe(33 * 1024 * 1024);
  expect(answer.trailers).toEqual({ "grpc-status": "0", "grpc-message": "done" });
});

test("a service that should speak HTTP/2 and doesn't is answered 503", async () => {
  const { session } = await openFrontDoor({ script: ECHO, protocol: "h2c" });
  const answer = await exchange(await session(), { ":path": "/" });
  expect(answer.headers[":status"]).toBe(503);
});

test("callers in HTTP/2 reach a service that speaks HTTP/1.1", async () => {
  const { session, host } = await openFrontDoor({ script: ECHO });
  const open = await session();
  const posted = await exchange(
    open,
    { ":method": "POST", ":authority": host, ":path": "/x", cookie: ["a=1", "b=2"] },
    Buffer.from("body"),
  );
  expect(posted.headers).toMatchObject({ ":status": 200, "x-cloud-trace-context": expect.any(String) });
  expect(posted.headers["keep-alive"]).toBe(undefined);
  expect(posted.trailers).toEqual({ "x-end": "yes" });
  expect(JSON.parse(posted.bytes.toString())).toMatchObject({
    version: "1.1",
    method: "POST",
    body: "body",
    headers: { host, cookie: "a=1; b=2", "transfer-encoding": "chunked" },
  });
  const got = JSON.parse((await exchange(open, { ":path": "/" })).bytes.toString());
  expect(got.headers).toEqual(expect.not.objectContaining({ "transfer-encoding": expect.anything() }));
  expect((await exchange(open, { ":method": "HEAD", ":path": "/" })).headers[":status"]).toBe(200);
});

test("a response that HTTP/2 can't carry becomes 503, and one that breaks off is aborted", async () => {
  const { session } = await openFrontDoor({ script: ECHO });
  const open = await session();
  expect((await exchange(open, { ":path": "/odd" })).headers[":status"]).toBe(503);
  await expect(exchange(open, { ":path": "/half" })).rejects.toThrow("NGHTTP2_INTERNAL_ERROR");
});

test("a private service rejects calls in HTTP/2 with the same pages", async () => {
  const { session } = await openFrontDoor({ script: ECHO, isPublic: false });
  const open = await session();
  const none = await exchange(open, { ":path": "/x" });
  expect([none.headers[":status"], none.bytes.toString()]).toEqual([403, expect.stringContaining("<code>/x</code>")]);
  const bad = await exchange(open, { ":path": "/x", authorization: "Bearer nonsense" });
  expect(bad.headers).toMatchObject({ ":status": 401, "www-authenticate": expect.stringContaining("invalid_token") });
});

test("HTTP/2 without TLS is accepted at a service's host, like HTTP/1.1, but not at the emulator's own address", async () => {
  const { port, host } = await openFrontDoor({ script: ECHO });
  const session = connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  expect((await exchange(session, { ":path": "/x", ":authority": host })).headers[":status"]).toBe(200);
  expect((await exchange(session, { ":path": "/_emulator/status" })).headers[":status"]).toBe(400);
});

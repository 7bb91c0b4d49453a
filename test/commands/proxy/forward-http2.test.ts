import { once } from "node:events";
import {
  connect,
  createServer,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { verifiedClaims } from "../../helpers/caller.ts";
import { proxyTo } from "../../helpers/proxy.ts";

/** A service that speaks HTTP/2 without TLS, as gRPC servers do, a proxy for it, and a client of the proxy. */
async function open(answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void, ...flags: readonly string[]) {
  const server = createServer().on("stream", answer);
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => sessions.add(session));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const service = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const proxy = await proxyTo(service, ...flags);
  const client = connect(proxy.url);
  onTestFinished(() => client.destroy());
  return { ...proxy, client };
}

async function ask(client: ClientHttp2Session, headers: Record<string, string>, ...bodies: readonly string[]) {
  const stream: ClientHttp2Stream = client.request(headers, { endStream: bodies.length === 0 });
  let trailers: IncomingHttpHeaders = {};
  stream.on("trailers", (received: IncomingHttpHeaders) => (trailers = received));
  for (const body of bodies) stream.write(body);
  if (bodies.length > 0) stream.end();
  const [answered] = (await once(stream, "response")) as [IncomingHttpHeaders];
  const text = (await stream.toArray()).join("");
  return { headers: answered, text, trailers };
}

const GRPC = { ":method": "POST", ":path": "/greeter.Greeter/SayHello", "content-type": "application/grpc", te: "trailers" };

test("a gRPC call gets a token, and its response keeps its trailers", async () => {
  let seen: IncomingHttpHeaders = {};
  const { client, service } = await open((stream, headers) => {
    seen = headers;
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "grpc-message": "fine" }));
    stream.pipe(stream);
  });
  expect(await ask(client, GRPC, "one", "two")).toMatchObject({
    headers: { ":status": 200, "content-type": "application/grpc" },
    text: "onetwo",
    trailers: { "grpc-status": "0", "grpc-message": "fine" },
  });
  expect(seen).toMatchObject({ ":path": "/greeter.Greeter/SayHello", ":authority": new URL(service).host, te: "trailers" });
  expect(verifiedClaims(seen.authorization)).toMatchObject({ aud: service });
});

test("a Trailers-Only response of gRPC stays one", async () => {
  const { client } = await open((stream) => stream.respond({ ":status": 200, "grpc-status": "5" }, { endStream: true }));
  const stream = client.request(GRPC);
  stream.end("one");
  const [headers, flags] = await once(stream, "response");
  expect([headers["grpc-status"], flags & 1]).toEqual(["5", 1]);
});

test("messages are forwarded both ways at once, and a canceled call is canceled for the service", async () => {
  const streams: ServerHttp2Stream[] = [];
  const { client } = await open((stream) => {
    streams.push(stream);
    stream.respond({ ":status": 200 });
    stream.on("data", (chunk: Buffer) => stream.write(`echo ${String(chunk)}`));
  });
  const stream = client.request(GRPC);
  for (const message of ["1", "2"]) {
    stream.write(message);
    expect(String((await once(stream, "data"))[0])).toBe(`echo ${message}`);
  }
  const gone = once(streams[0] as ServerHttp2Stream, "close");
  stream.close(8);
  await gone;
});

test("three hundred streams of one connection are all answered, over several connections to the service", async () => {
  const waiting: ServerHttp2Stream[] = [];
  const sessions = new Set<unknown>();
  const { client } = await open((stream) => {
    sessions.add(stream.session);
    if (waiting.push(stream) < 300) return;
    for (const each of waiting) {
      each.respond({ ":status": 200 });
      each.end("well");
    }
  });
  const answers = await Promise.all(Array.from({ length: 300 }, () => ask(client, { ":path": "/" })));
  expect(answers.filter(({ text }) => text === "well").length).toBe(300);
  expect(sessions.size).toBeGreaterThanOrEqual(3);
});

test("the caller's own Authorization is kept, and foreign hosts are refused", async () => {
  let seen: IncomingHttpHeaders = {};
  const { client, url } = await open((stream, headers) => {
    seen = headers;
    stream.respond({ ":status": 302, location: `http://${headers[":authority"]}/next` });
    stream.end();
  });
  expect((await ask(client, { ":path": "/", authorization: "Basic bWU6bWU=" })).headers.location).toBe(`${url}/next`);
  expect(seen.authorization).toBe("Basic bWU6bWU=");
  expect(verifiedClaims(String(seen["x-serverless-authorization"]))).toBeDefined();
  const refused = await ask(client, { ":path": "/", ":authority": "evil.example" });
  expect([refused.headers[":status"], refused.text]).toEqual([421, expect.stringContaining("unexpected Host header")]);
});

test("a broken connection becomes a gRPC error or 502, and a reset stream resets the caller's", async () => {
  const { client } = await open((stream, headers) => {
    if (headers[":path"] === "/reset") stream.close(11);
    else stream.session?.destroy();
  });
  const failed = await ask(client, GRPC, "one");
  expect(failed.headers).toMatchObject({ ":status": 200, "content-type": "application/grpc", "grpc-status": "14" });
  expect((await ask(client, { ":path": "/" })).headers[":status"]).toBe(502);
});

test("a service can respond early, and its caller can stop sending", async () => {
  const { client, stop } = await open((stream) => {
    stream.respond({ ":status": 413 });
    stream.end("too much");
    stream.close(0);
  });
  const stream = client.request({ ":method": "POST", ":path": "/" });
  stream.write("one");
  expect((await once(stream, "response"))[0][":status"]).toBe(413);
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += String(chunk)));
  await once(stream, "close");
  expect([text, stream.rstCode]).toEqual(["too much", 0]);
  expect((await stop()).stderr).not.toContain("under way");
});

test("a service that only speaks HTTP/1.1 is reported as such", async () => {
  const proxy = await proxyTo((_, response) => response.end("well"));
  const client = connect(proxy.url);
  onTestFinished(() => client.destroy());
  const { headers, text } = await ask(client, { ":path": "/" });
  expect([headers[":status"], text]).toEqual([502, expect.stringMatching(/Can't reach .+/)]);
});

import * as fc from "fast-check";
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingHttpHeaders } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { listen } from "../../helpers/listen.ts";
import { call, proxyTo } from "../../helpers/proxy.ts";

/** Writes the pieces one by one, and returns all that comes back until the other end closes the connection. */
async function exchange(port: number, ...pieces: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  await once(socket, "connect");
  for (const piece of pieces) {
    socket.write(piece, "latin1" as BufferEncoding);
    // The other end reads each piece by itself.
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
  socket.on("error", () => {});
  const chunks: Buffer[] = await socket.toArray().catch(() => []);
  return Buffer.concat(chunks).toString("latin1");
}

/** A service that answers by writing bytes to the connection. */
async function serveBytes(answer: (request: string, socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => answer(bytes.toString("latin1"), socket));
  });
  return `http://127.0.0.1:${await listen(server)}`;
}

interface Seen {
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}$/).map((name) => `X-${name}`);
const value = fc.stringMatching(/^[\x21-\x7e\xa1-\xff](?:[\t\x20-\x7e\xa1-\xff]{0,20}[\x21-\x7e\xa1-\xff])?$/);
const field = fc.oneof(
  fc.tuple(token, value),
  fc.constantFrom(
    ["TE", "trailers"] as const,
    ["Keep-Alive", "timeout=5"] as const,
    ["Proxy-Authorization", "Basic bWU6bWU="] as const,
    ["authorization", "Basic bWU6bWU="] as const,
    ["X-Serverless-Authorization", "x"] as const,
    ["Origin", "http://localhost:1"] as const,
    ["Accept", "*/*"] as const,
    ["Cookie", "a=1; b=2"] as const,
  ),
);
const request = fc.record({
  method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
  path: fc.stringMatching(/^[A-Za-z0-9%.~/_-]{0,20}$/),
  fields: fc.uniqueArray(field, { maxLength: 6, selector: ([name]) => name.toLowerCase() }),
  body: fc.option(fc.string({ unit: fc.constantFrom("a", "\r", "\n", "0", "é"), maxLength: 40 }), { nil: undefined }),
  status: fc.constantFrom(200, 201, 204, 302, 304, 404, 500),
  framing: fc.constantFrom("length", "chunked", "close"),
  answer: fc.string({ unit: fc.constantFrom("b", "\r\n", "0\r\n\r\n", "5"), maxLength: 20 }),
});

test("any request arrives the same, and gets the same response, in one piece or two", async () => {
  let seen: Seen[] = [];
  const origin = createHttpServer(async (received, response) => {
    const body = Buffer.concat(await received.toArray()).toString("latin1");
    const { authorization, "x-serverless-authorization": second, ...headers } = received.headers;
    const carriers = { own: authorization?.startsWith("Basic"), token: String(second ?? authorization).startsWith("Bearer") };
    seen.push({
      line: `${received.method} ${received.url}`,
      headers: { ...headers, connection: "", ...JSON.parse(JSON.stringify(carriers)) },
      body,
    });
    const { status, framing, text } = JSON.parse(Buffer.from(String(received.url).split("?")[1] ?? "", "base64url").toString("utf8"));
    response.sendDate = false;
    response.setHeader("Set-Cookie", ["a=1; Domain=127.0.0.1", "b=2"]).setHeader("Location", `http://${received.headers.host}/x`);
    if (framing === "length") response.setHeader("Content-Length", Buffer.byteLength(text));
    if (framing === "close") response.setHeader("Connection", "close").removeHeader("Transfer-Encoding");
    if (framing === "close") response.useChunkedEncodingByDefault = false;
    response.writeHead(status).write(text.slice(0, 3));
    response.end(text.slice(3));
  });
  const { port } = await proxyTo(`http://127.0.0.1:${await listen(origin)}`);
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, fields, body, status, framing, answer }) => {
      seen = [];
      const query = Buffer.from(JSON.stringify({ status, framing, text: answer })).toString("base64url");
      const lines = fields.map(([name, each]) => `${name}: ${each}\r\n`).join("");
      const length = body === undefined ? "" : `Content-Length: ${body.length}\r\n`;
      const head = `${method} /${path}?${query} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n${lines}${length}\r\n`;
      const whole = Buffer.from(head + (body ?? ""), "latin1");
      const inOne = parse(await exchange(port, whole));
      const inTwo = parse(await exchange(port, whole.subarray(0, 1), whole.subarray(1)));
      expect(seen).toHaveLength(2);
      expect(seen[0]).toEqual(seen[1]);
      expect(seen[0]).toMatchObject({ line: `${method} /${path}?${query}`, body: body ?? "" });
      expect(inOne).toEqual(inTwo);
      expect(inOne.body).toBe(method === "HEAD" || status === 204 || status === 304 ? "" : answer);
    }),
    { numRuns: 50 },
  );
});

/** A response with its body out of its chunks. */
function parse(text: string): { readonly line: string; readonly fields: string[]; readonly body: string } {
  const end = text.indexOf("\r\n\r\n");
  const [line = "", ...lines] = text.slice(0, end).split("\r\n");
  const isChunked = /^transfer-encoding: chunked$/im.test(text.slice(0, end));
  let body = text.slice(end + 4);
  if (isChunked) {
    let rest = body;
    body = "";
    for (let size = Number.parseInt(rest, 16); size > 0; size = Number.parseInt(rest, 16)) {
      const begin = rest.indexOf("\r\n") + 2;
      body += rest.slice(begin, begin + size);
      rest = rest.slice(begin + size + 2);
    }
  }
  return { line, fields: lines.filter((each) => !/^(?:connection|keep-alive|transfer-encoding):/i.test(each)).sort(), body };
}

test("a body can't smuggle a request by nominating its own length as a header of the connection", async () => {
  const seen: string[] = [];
  const { port } = await proxyTo((received, response) => {
    seen.push(received.url ?? "");
    received.resume();
    response.end("ok");
  });
  const smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
  const head = `GET /a HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close, content-length\r\nContent-Length: ${smuggled.length}\r\n\r\n`;
  expect(await exchange(port, head + smuggled)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(seen).toEqual(["/a"]);
});

test.for([
  ["GET", "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 2\r\n\r\nok"],
  ["HEAD", "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["GET", "HTTP/1.1 304 Not Modified\r\nTrailer: X-Sum\r\n\r\n"],
] as const)(
  "a response to %s that announces trailers without a body in chunks arrives without the announcement: %j",
  async ([method, text]) => {
    const { port } = await proxyTo(await serveBytes((_, socket) => void socket.end(text)));
    const { line, fields } = parse(await exchange(port, `${method} / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`));
    expect([line.slice(0, 12), fields.some((each) => /trailer/i.test(each))]).toEqual([text.slice(0, 12), false]);
  },
);

test.for([
  ["both lengths", "Content-Length: 4\r\nTransfer-Encoding: chunked", "0\r\n\r\n"],
  ["both lengths, the other first", "Transfer-Encoding: chunked\r\nContent-Length: 4", "0\r\n\r\n"],
  ["two lengths", "Content-Length: 0\r\nContent-Length: 40", ""],
  ["a list of lengths", "Content-Length: 0, 40", ""],
  ["a length with a sign", "Content-Length: +0", ""],
  ["a length in hexadecimal", "Content-Length: 0x0", ""],
  ["an empty length", "Content-Length: ", ""],
  ["a space before the colon", "Content-Length : 0", ""],
  ["a line that continues", "X: a\r\n Content-Length: 0\r\nTransfer-Encoding: xchunked", ""],
  ["a bare line end", "X: a\nContent-Length: 50", ""],
  ["a bare carriage return", "X: a\rContent-Length: 50", ""],
  ["a NUL", "X: a\0\r\nContent-Length: 0", ""],
  ["an unknown coding", "Transfer-Encoding: identity, chunked, x", "0\r\n\r\n"],
  ["a space in the target", "", "", "GET /a b"],
] as const)("a head with %s smuggles no request", async ([, fields, body, target = "POST /a"]) => {
  const seen: string[] = [];
  const { port } = await proxyTo(
    await serveBytes((received, socket) => {
      seen.push(received);
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }),
  );
  const host = `Host: 127.0.0.1:${port}\r\n`;
  const head = `${target} HTTP/1.1\r\n${host}${fields}${fields && "\r\n"}\r\n`;
  const answered = await exchange(port, `${head}${body}GET /smuggled HTTP/1.1\r\n${host}\r\n`);
  expect(answered).toMatch(/^HTTP\/1\.1 (?:400|200) /);
  expect(seen.join("")).not.toContain("smuggled");
});

test("a thousand pipelined requests are answered in their order", async () => {
  const { port } = await proxyTo((request, response) => {
    let size = 0;
    request.on("data", (piece: Buffer) => (size += piece.length)).on("end", () => response.end(`${request.url} ${size};`));
  });
  const requests = Array.from({ length: 1000 }, (_, index) => {
    const end = index === 999 ? "Connection: close\r\n" : "";
    return `PUT /${index} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${end}Content-Length: ${index % 7}\r\n\r\n${"x".repeat(index % 7)}`;
  });
  const answered = await exchange(port, requests.join(""));
  expect([...answered.matchAll(/\/(\d+) (\d);/g)].map(([, path, size]) => `${path} ${size}`)).toEqual(
    Array.from({ length: 1000 }, (_, index) => `${index} ${index % 7}`),
  );
});

test.for([
  ["a line end of one character", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"],
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"],
  ["both lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"],
  ["no HTTP", "SSH-2.0-OpenSSH_9\r\n\r\n"],
  ["another protocol", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"],
] as const)("a response with %s is forwarded as the HTTP that it is, or answered 502", async ([, text]) => {
  const { url } = await proxyTo(await serveBytes((_, socket) => void socket.end(text, "latin1")));
  const { status, text: body } = await call(url);
  expect([status, body]).toEqual(status === 200 ? [200, "ok"] : [502, expect.stringContaining("Can't reach")]);
});

test("what a service sends after a response isn't taken for the next response", async () => {
  const { port } = await proxyTo(
    await serveBytes((_, socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmineHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
    }),
  );
  const one = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`;
  const answered = await exchange(port, `${one}\r\n`, `${one}\r\n`, `${one}Connection: close\r\n\r\n`);
  expect([answered.match(/mine/g)?.length, answered.includes("forged")]).toEqual([3, false]);
});

test("bytes that the caller hasn't read yet aren't overwritten by the next ones", async () => {
  const pieces = Array.from({ length: 4096 }, (_, index) => Buffer.alloc(4096, `${index} `));
  const { port } = await proxyTo(
    await serveBytes(async (_, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${4096 * 4096}\r\n\r\n`);
      for (const piece of pieces) {
        socket.write(piece);
        // The proxy reads each piece by itself.
        await new Promise((passed) => setImmediate(passed));
      }
      caller.resume();
    }),
  );
  const caller = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  caller.on("data", (bytes) => chunks.push(bytes)).pause();
  caller.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
  await once(caller, "end");
  const all = Buffer.concat(chunks);
  expect(all.subarray(all.indexOf("\r\n\r\n") + 4).equals(Buffer.concat(pieces))).toBe(true);
});

test("half of a head is malformed", async () => {
  const { port } = await proxyTo((_, response) => response.end());
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end("GET / HTTP/1.1\r\nX-Ha");
  expect(Buffer.concat(await socket.toArray()).toString()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
});

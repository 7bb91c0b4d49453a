import * as fc from "fast-check";
import { once } from "node:events";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { openFrontDoor } from "../../helpers/front-door.ts";

/** Answers with the raw request, or with the bytes in the query; for some paths it then ends or resets the connection. */
const SERVICE = `
const { createServer } = require("node:net");
createServer((socket) => {
  let seen = "";
  socket.on("error", () => {});
  socket.on("data", (bytes) => {
    seen += bytes.toString("latin1");
    const end = seen.indexOf("\\r\\n\\r\\n");
    if (end < 0) return;
    const length = Number(/^content-length: (\\d+)/im.exec(seen.slice(0, end))?.[1] ?? 0);
    const isChunked = /^transfer-encoding: chunked/im.test(seen.slice(0, end));
    if (isChunked ? !seen.endsWith("0\\r\\n\\r\\n") : seen.length < end + 4 + length) return;
    const request = seen;
    seen = "";
    const [, path, query] = /^\\S+ ([^ ?]*)\\??(\\S*)/.exec(request);
    const response = Buffer.from(query, "base64url").toString("latin1");
    const own = "HTTP/1.1 200 OK\\r\\nContent-Length: " + request.length + "\\r\\n\\r\\n" + request;
    const large = "HTTP/1.1 200 OK\\r\\nX: " + "x".repeat(20_000) + "\\r\\nContent-Length: 2\\r\\n\\r\\nok";
    socket.write(path === "/large" ? large : response || own, "latin1");
    if (path.startsWith("/close")) socket.end();
    if (path.startsWith("/reset")) setTimeout(() => socket.resetAndDestroy(), 50);
  });
}).listen(process.env.PORT);
`;

/** Sends bytes and returns all that comes back until the other end closes the connection. */
async function exchange(socket: Duplex, bytes: string): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => {});
  socket.write(bytes, "latin1");
  if (!socket.destroyed) await once(socket, "close");
  return Buffer.concat(chunks).toString("latin1");
}

/** A response with its body out of its chunks. */
function parse(text: string): { readonly head: string; readonly body: string; readonly rest: string } {
  const end = text.indexOf("\r\n\r\n") + 4;
  const [head, all] = [text.slice(0, end), text.slice(end)];
  if (!/^transfer-encoding: chunked$/im.test(head)) return { head, body: all, rest: "" };
  let rest = all;
  let body = "";
  for (let size = Number.parseInt(rest, 16); size > 0; size = Number.parseInt(rest, 16)) {
    const begin = rest.indexOf("\r\n") + 2;
    body += rest.slice(begin, begin + size);
    rest = rest.slice(begin + size + 2);
  }
  return { head, body, rest };
}

async function openService() {
  const door = await openFrontDoor({ script: SERVICE, spec: { timeoutSeconds: 1 } });
  const send = async (request: string) =>
    parse(await exchange(connect(door.port, "127.0.0.1"), request.replaceAll("Host: HOST", `Host: ${door.host}`)));
  return { ...door, send };
}

interface Request {
  readonly method?: string;
  readonly path?: string;
  readonly fields?: string;
  readonly body?: string;
}

/** A request that the service answers with these bytes, or with the request itself. */
function requestFor(response: string, { method = "GET", path = "/", fields = "", body = "" }: Request = {}): string {
  const query = Buffer.from(response, "latin1").toString("base64url");
  const length = body === "" ? "" : `Content-Length: ${body.length}\r\n`;
  return `${method} ${path}${query === "" ? "" : `?${query}`} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n${fields}${length}\r\n${body}`;
}

test.for([
  [
    "User-Agent: a\r\nuser-agent: b\r\nReferer: http://a/\r\nX: 1\r\nx: 2\r\n",
    /\r\nUser-Agent: a\r\nuser-agent: b\r\nReferer: http:\/\/a\/\r\nX: 1\r\nx: 2\r\n/,
  ],
  ["Cookie: a=1\r\ncookie: b=2\r\n", /\r\nCookie: a=1; b=2\r\n/],
  ["X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2\r\n", /\r\nX-Forwarded-For: 10\.0\.0\.1, 10\.0\.0\.2,127\.0\.0\.1\r\n/],
  [
    "traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01\r\n",
    /\r\ntraceparent: 00-0123456789abcdef0123456789abcdef-[0-9a-f]{16}-01\r\n/,
  ],
  [
    "X-Cloud-Trace-Context: 0123456789abcdef0123456789abcdef/1;o=0\r\n",
    /\r\nX-Cloud-Trace-Context: 0123456789abcdef0123456789abcdef\/\d+;o=0\r\n/,
  ],
  [
    "TE: trailers\r\nKeep-Alive: timeout=1\r\nProxy-Authorization: Basic x\r\nX-Latin: gr\xfcn \t\r\n",
    /^(?![^]*(?:keep-alive: |proxy-authorization))[^]*\r\nX-Latin: gr\xfcn\r\nTE: trailers\r\n/i,
  ],
] as const)("an instance gets the headers %j in their order and spelling", async ([fields, expected]) => {
  const { send } = await openService();
  expect((await send(requestFor("", { fields }))).body.replaceAll("Connection: keep-alive\r\n", "")).toMatch(expected);
});

test.for(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])(
  "an instance gets %s with its path and body, or without one",
  async (method) => {
    const { send } = await openService();
    const text = "b\r\n\xf6";
    const [plain, withBody] = [
      await send(requestFor("", { method, path: "/a%20b/'\"" })),
      await send(requestFor("", { method, body: text })),
    ];
    if (method === "HEAD") return expect([plain.body, withBody.body]).toEqual(["", ""]);
    expect(plain.body).toMatch(new RegExp(`^${method} /a%20b/'" HTTP/1\\.1\r\n`));
    expect(withBody.body.endsWith(`\r\n\r\n${text}`)).toBe(true);
  },
);

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";
const LENGTH = "HTTP/1.1 200 OK\r\nContent-Length: ";
const MALFORMED = expect.stringContaining("malformed");

test.for([
  ["chunks", "/", `${CHUNKED}\r\n5;x=y\r\nab\r\nc\r\n1\r\nd\r\n0\r\n\r\n`, 200, "ab\r\ncd"],
  ["a body until the end of the connection", "/close", "HTTP/1.1 200 OK\r\nX: y\r\n\r\nuntil the end", 200, "until the end"],
  ["its own reason phrase", "/close", "HTTP/1.1 201 Made\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 201, "ok"],
  ["HTTP/1.0", "/close", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"],
  ["no body", "/", "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", 204, ""],
  ["the length of a body that isn't sent", "/", "HTTP/1.1 304 Not Modified\r\nContent-Length: 40\r\nETag: x\r\n\r\n", 304, ""],
  ["an unknown status", "/", "HTTP/1.1 499 Whatever this is\r\nContent-Length: 2\r\n\r\nno", 499, "no"],
  ["an interim response", "/", `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${LENGTH}2\r\n\r\nok`, 200, "ok"],
  ["more than 32 MiB", "/", `${LENGTH}${32 * 1024 * 1024 + 1}\r\n\r\n`, 500, expect.stringContaining("too large")],
  ["only half of a head", "/close", "HTTP/1.1 200 OK\r\nContent-Len", 503, MALFORMED],
  ["only an interim response", "/late", "HTTP/1.1 103 Early Hints\r\n\r\n", 504, expect.stringContaining("timeout")],
  ["another protocol than HTTP", "/close", "SSH-2.0-OpenSSH_9\r\n\r\n", 503, MALFORMED],
  ["two lengths", "/close", `${LENGTH}2\r\nContent-Length: 3\r\n\r\nok`, 503, MALFORMED],
  ["an unwanted upgrade", "/close", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", 503, MALFORMED],
  ["a head that is too large", "/large", "", 503, MALFORMED],
] as const)("a response with %s reaches the caller or is replaced", async ([, path, response, status, body]) => {
  const { send } = await openService();
  for (const method of ["GET", "POST"]) {
    const answer = await send(requestFor(response, { path, method, body: method === "POST" ? "x" : "" }));
    expect([answer.head.slice(9, 12), answer.body]).toEqual([String(status), body]);
  }
});

test("trailers follow a body in chunks, and no other", async () => {
  const { send } = await openService();
  const chunked = await send(requestFor(`${CHUNKED}Trailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum:  6 \r\nx-other: 1\r\nX-SUM: 7\r\n\r\n`));
  expect([chunked.body, chunked.rest]).toEqual(["ok", "0\r\nx-sum: 6\r\nx-sum: 7\r\nx-other: 1\r\n\r\n"]);
  const whole = await send(requestFor(`HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 2\r\n\r\nok`));
  expect([whole.body, /trailer/i.test(whole.head)]).toEqual(["ok", false]);
});

test("headers of a response come in their order and spelling, those of the connection and the server's name left out", async () => {
  const { send } = await openService();
  const fields = "set-cookie: a=1\r\nX: 1\r\nSet-Cookie: b=2\r\nx: 2\r\nDate: then\r\nServer: mine\r\nKeep-Alive: timeout=9\r\n";
  const { head } = await send(requestFor(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 0\r\n\r\n`));
  expect(head).toContain("\r\nset-cookie: a=1\r\nX: 1\r\nSet-Cookie: b=2\r\nx: 2\r\nDate: then\r\nContent-Length: 0\r\n");
  expect(head).not.toMatch(/mine|timeout=9/);
});

test.for([
  ["/reset", `${LENGTH}20\r\n\r\nhalf`],
  ["/reset", `${CHUNKED}\r\n5\r\nab`],
  ["/close", `${CHUNKED}\r\n2\r\nok\r\nx\r\n`],
  ["/late", `${LENGTH}20\r\n\r\nhalf`],
] as const)("a response that breaks off on %s isn't completed: %j", async ([path, response]) => {
  const { send } = await openService();
  const { head, body, rest } = await send(requestFor(response, { path }));
  expect(head).toMatch(/^HTTP\/1\.1 200 /);
  expect(/^content-length: 20$/im.test(head) ? body.length < 20 : !rest.endsWith("0\r\n\r\n")).toBe(true);
});

const token = fc.stringMatching(/^[A-Za-z!#$%&'*+.^_`|~-]{1,12}$/).map((name) => `X-${name}`);
const value = fc.stringMatching(/^(?:[\x21-\x7e\xa1-\xff](?:[\t\x20-\x7e\xa1-\xff]{0,20}[\x21-\x7e\xa1-\xff])?)?$/);
const fields = fc.array(fc.tuple(token, value), { maxLength: 6 }).map((pairs) => pairs.map((pair) => `${pair.join(": ")}\r\n`).join(""));

test("any headers, status, and body reach the caller", async () => {
  const { send } = await openService();
  const exchanges = fc.record({
    method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
    path: fc.stringMatching(/^\/[A-Za-z0-9%.~/_-]{0,20}$/).filter((path) => !/^\/(?:close|reset|large|healthz|eventlog|_ah)/.test(path)),
    fields,
    body: fc.string({ unit: fc.constantFrom("a", "\r", "\n", "0"), maxLength: 40 }),
    answered: fields,
    status: fc.integer({ min: 200, max: 599 }),
    text: fc.string({ unit: fc.constantFrom("b", "\r\n", "0\r\n\r\n", "5"), maxLength: 20 }),
    isChunked: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(exchanges, async ({ answered, status, text, isChunked, ...request }) => {
      const canHaveBody = request.method !== "HEAD" && status !== 204 && status !== 304;
      const chunks = canHaveBody ? `${text === "" ? "" : `${text.length.toString(16)}\r\n${text}\r\n`}0\r\n\r\n` : "";
      const framed = isChunked
        ? `Transfer-Encoding: chunked\r\n\r\n${chunks}`
        : `Content-Length: ${text.length}\r\n\r\n${canHaveBody ? text : ""}`;
      const { head, body } = await send(requestFor(`HTTP/1.1 ${status} X\r\n${answered}${framed}`, request));
      expect([head.slice(9, 12), body]).toEqual([String(status), canHaveBody ? text : ""]);
      expect(head).toContain(`\r\n${answered}`);
    }),
    { numRuns: 40 },
  );
});

test("a connection serves as many requests as the caller sends, and each gets its own response", async () => {
  const { port, host } = await openService();
  const one = (path: string, end = "") => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${end}\r\n`;
  const forged = Buffer.from(`${LENGTH}4\r\n\r\nmine${LENGTH}6\r\n\r\nforged`).toString("base64url");
  const requests = [one("/1"), one(`/2?${forged}`), one("/3"), one(`/4?${forged}`), one("/5", "Connection: close\r\n")];
  const answered = await exchange(connect(port, "127.0.0.1"), requests.join(""));
  expect([...answered.matchAll(/GET (\/\d)|(mine|forged)/g)].map(([, path, body]) => path ?? body)).toEqual([
    "/1",
    "mine",
    "/3",
    "mine",
    "/5",
  ]);
});

test("a call in TLS is answered as one without, and a connection can mix bodies with and without a length", async () => {
  const { tunnel, host } = await openService();
  const chunked = "POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
  const both = await exchange(await tunnel()("http/1.1"), (chunked + requestFor("")).replaceAll("HOST", host));
  expect(both.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
});

test("half of a head is malformed", async () => {
  const { port, host } = await openService();
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const answered = exchange(socket, `GET / HTTP/1.1\r\nHost: ${host}\r\nX-Ha`);
  socket.end();
  expect(await answered).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
});

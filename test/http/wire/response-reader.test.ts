import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MalformedResponse } from "../../../src/http/wire/malformed-response.ts";
import type { ResponseHead } from "../../../src/http/wire/response-head.ts";
import { createResponseReader } from "../../../src/http/wire/response-reader.ts";

function read(pieces: readonly Buffer[], method = "GET") {
  let ended: { readonly head: ResponseHead; readonly isClean: boolean } | undefined;
  const reader = createResponseReader(method, (head, isClean) => (ended = { head, isClean }));
  for (const piece of pieces) reader.read(piece);
  const { status, text, isLast } = ended?.head ?? {};
  return { isEnd: ended !== undefined, isClean: ended?.isClean, status, text, isLast, closes: () => reader.close() };
}

const CHUNKED =
  "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\nLocation: https://service.example/x\r\n\r\n5;x=y\r\nab\r\nc\r\n1\r\nd\r\n0\r\nX-Sum: 6\r\n\r\n";
const LENGTH = "HTTP/1.1 200\r\nContent-Length: 4\r\nSet-Cookie: a=1\r\nAlt-Svc: x\r\n\r\nbody";

test.for([CHUNKED, LENGTH])("a response is read the same wherever it is cut in two", (text) => {
  const { closes: _, ...whole } = read([Buffer.from(text)]);
  expect(whole).toMatchObject({ status: 200, isEnd: true, isClean: true });
  for (let cut = 1; cut < text.length; cut += 1)
    expect(read([Buffer.from(text.slice(0, cut)), Buffer.from(text.slice(cut))])).toMatchObject(whole);
  expect(read(text.split("").map((each) => Buffer.from(each)))).toMatchObject(whole);
  expect(read([Buffer.from(text.slice(0, -1))])).toMatchObject({ isEnd: false });
});

test("the head is the last one, without interim responses", () => {
  expect(read([Buffer.from(CHUNKED)]).text).toBe(
    "HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\nLocation: https://service.example/x\r\n",
  );
});

test("any body in any chunks ends where its last chunk does, however it is cut", () => {
  const part = fc.string({ unit: fc.constantFrom("a", "\r", "\n", "0", ";"), minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), fc.array(fc.nat(300), { maxLength: 5 }), fc.boolean(), (parts, cuts, isUpper) => {
      const hex = (size: number): string => (isUpper ? size.toString(16).toUpperCase() : size.toString(16));
      const text = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${parts.map((each) => `${hex(each.length)}\r\n${each}\r\n`).join("")}0\r\n\r\n`;
      const bytes = Buffer.from(`${text}more`);
      const places = [0, ...cuts.map((cut) => Math.min(cut, text.length - 1)).sort((one, other) => one - other), bytes.length];
      const pieces = places.slice(1).map((place, index) => bytes.subarray(places[index], place));
      expect(read(pieces)).toMatchObject({ isEnd: true, isClean: false });
      expect(read(pieces.slice(0, -1))).toMatchObject({ isEnd: false });
    }),
    { numRuns: 200 },
  );
});

test.for(["HEAD", "GET"])("a response to %s without a body ends with its head, whatever length it announces", (method) => {
  const status = method === "HEAD" ? 200 : 304;
  expect(read([Buffer.from(`HTTP/1.1 ${status} X\r\nContent-Length: 40\r\n\r\n`)], method)).toMatchObject({ isEnd: true, isClean: true });
});

test("a buffer can be used again", () => {
  const buffer = Buffer.alloc(20);
  let text = "";
  const reader = createResponseReader("GET", (head) => ({ text } = head));
  for (let at = 0; at < LENGTH.length; at += 20) {
    reader.read(buffer.subarray(0, buffer.write(LENGTH.slice(at, at + 20))));
    buffer.fill(0);
  }
  expect(text).toBe(LENGTH.slice(0, LENGTH.indexOf("\r\n\r\n") + 2));
});

test.for([
  ["HTTP/1.1", "", false],
  ["HTTP/1.1", "Connection: close\r\n", true],
  ["HTTP/1.1", "connection: Keep-Alive, Close\r\n", true],
  ["HTTP/1.0", "", true],
  ["HTTP/1.0", "Connection: keep-alive\r\n", false],
] as const)("%s with %j decides whether a connection stays open", ([version, field, isLast]) => {
  expect(read([Buffer.from(`${version} 200 OK\r\n${field}Content-Length: 0\r\n\r\n`)])).toMatchObject({ isEnd: true, isLast });
});

test("the last response of a connection can be in chunks", () => {
  const text = "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
  expect(read([Buffer.from(text)])).toMatchObject({ isLast: true, isEnd: true });
});

test("a response without a length ends with its connection", () => {
  const answer = read([Buffer.from("HTTP/1.1 200 OK\r\n\r\nsome")]);
  expect([answer.isEnd, answer.closes()]).toEqual([false, true]);
  expect(read([Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsome")]).closes()).toBe(false);
});

test.for([
  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
  "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
  "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
  "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
  "HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
  "HTTP/1.1 200 OK\r\nX: a\0\r\n\r\n",
  "HTTP/1.1 200 OK\nX: a\n\n",
  "HTTP/2 200 OK\r\n\r\n",
  "HTTP/1.1 20 OK\r\n\r\n",
  `HTTP/1.1 200 OK\r\nX: ${"a".repeat(70_000)}\r\n\r\n`,
])("%j is malformed", (text) => {
  expect(() => read([Buffer.from(text)])).toThrow(MalformedResponse);
});

test.for([
  "x\r\n",
  "\r\n",
  "5\nhello",
  "5\r\nhello\n",
  "5\r\nhelloX",
  "fffffffffffff\r\n",
  "1 \r\na\r\n",
  "0\r\nX : y\r\n\r\n",
  "0\r\n X: y\r\n",
  "0\r\n\rx",
])("chunks of %j are malformed", (chunks) => {
  expect(() => read([Buffer.from(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`)])).toThrow(MalformedResponse);
});

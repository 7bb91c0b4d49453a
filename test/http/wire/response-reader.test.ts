import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createAnswerHeadReader } from "../../../src/http/wire/response-head.ts";
import { createAnswerReader, OddAnswer } from "../../../src/http/wire/response-reader.ts";

const readHead = createAnswerHeadReader(["location", "alt-svc"]);
const meet = (name: string, value: string): string | undefined =>
  name === "location"
    ? `Location: ${value.replace("https://service.example", "http://localhost:8080")}\r\n`
    : name === "alt-svc"
      ? ""
      : undefined;

function read(pieces: readonly Buffer[], method = "GET") {
  const heard = { status: 0, kept: "", isLast: false, written: "", data: "", isEnd: false, isClean: true };
  const listener = {
    onHead: ({ status, kept, isLast }: { status: number; kept: string; isLast: boolean }) =>
      void Object.assign(heard, { status, kept, isLast }),
    onBody(bytes: Buffer, isEnd: boolean, isClean: boolean) {
      heard.written += bytes.toString("latin1");
      Object.assign(heard, { isEnd, isClean });
    },
    see: (data: Buffer) => void (heard.data += data.toString("latin1")),
  };
  const reader = createAnswerReader((text) => readHead(text, method, meet), listener);
  for (const piece of pieces) reader.read(piece);
  return { ...heard, trailers: reader.trailers(), closes: () => reader.close() };
}

const CHUNKED =
  "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\nLocation: https://service.example/x\r\n\r\n5;x=y\r\nab\r\nc\r\n1\r\nd\r\n0\r\nX-Sum: 6\r\n\r\n";
const LENGTH = "HTTP/1.1 200\r\nContent-Length: 4\r\nSet-Cookie: a=1\r\nAlt-Svc: x\r\n\r\nbody";

test.for([CHUNKED, LENGTH])("an answer is the same wherever it is cut in two", (text) => {
  const whole = read([Buffer.from(text)]);
  expect(whole).toMatchObject({ status: 200, isEnd: true, isClean: true });
  for (let cut = 1; cut < text.length; cut += 1) {
    const { closes: _, ...halves } = read([Buffer.from(text.slice(0, cut)), Buffer.from(text.slice(cut))]);
    expect(whole).toMatchObject(halves);
  }
  expect(read(text.split("").map((each) => Buffer.from(each)))).toMatchObject({ written: whole.written, data: whole.data });
});

test("the head is rewritten, and the chunks stay as they were written", () => {
  expect(read([Buffer.from(CHUNKED)])).toMatchObject({
    kept: "HTTP/1.1 200 OK\r\nDate: now\r\nLocation: http://localhost:8080/x\r\n",
    written: CHUNKED.slice(CHUNKED.indexOf("5;x=y")),
    data: "ab\r\ncd",
    trailers: "X-Sum: 6\r\n",
  });
  expect(read([Buffer.from(LENGTH)]).kept).toBe("HTTP/1.1 200\r\nContent-Length: 4\r\nSet-Cookie: a=1\r\n");
});

test("any body in any chunks comes out as it went in, however it is cut", () => {
  const part = fc.string({ unit: fc.constantFrom("a", "\r", "\n", "0", ";"), minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), fc.array(fc.nat(300), { maxLength: 5 }), fc.boolean(), (parts, cuts, isUpper) => {
      const hex = (size: number): string => (isUpper ? size.toString(16).toUpperCase() : size.toString(16));
      const text = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${parts.map((each) => `${hex(each.length)}\r\n${each}\r\n`).join("")}0\r\n\r\n`;
      const bytes = Buffer.from(`${text}more`);
      const places = [0, ...cuts.map((cut) => Math.min(cut, text.length - 1)).sort((one, other) => one - other), bytes.length];
      const pieces = places.slice(1).map((place, index) => bytes.subarray(places[index], place));
      expect(read(pieces)).toMatchObject({ data: parts.join(""), isEnd: true, isClean: false });
    }),
    { numRuns: 200 },
  );
});

test.for(["HEAD", "GET"])("an answer to %s without a body ends with its head, whatever it says of a length", (method) => {
  const status = method === "HEAD" ? 200 : 304;
  expect(read([Buffer.from(`HTTP/1.1 ${status} X\r\nContent-Length: 40\r\n\r\n`)], method)).toMatchObject({ isEnd: true, written: "" });
});

test("a buffer that is used again spoils nothing of what came before", () => {
  const buffer = Buffer.alloc(20);
  let kept = "";
  const onHead = (head: { kept: string }): void => void ({ kept } = head);
  const reader = createAnswerReader((text) => readHead(text, "GET", meet), { onHead, onBody: () => {} });
  for (let at = 0; at < LENGTH.length; at += 20) {
    reader.read(buffer.subarray(0, buffer.write(LENGTH.slice(at, at + 20))));
    buffer.fill(0);
  }
  expect(kept).toBe("HTTP/1.1 200\r\nContent-Length: 4\r\nSet-Cookie: a=1\r\n");
});

test.for([
  ["HTTP/1.1", "", false],
  ["HTTP/1.1", "Connection: close\r\n", true],
  ["HTTP/1.1", "connection: Keep-Alive, Close\r\n", true],
  ["HTTP/1.0", "", true],
  ["HTTP/1.0", "Connection: keep-alive\r\n", false],
] as const)("whether a connection goes on is said by %s and %j", ([version, field, isLast]) => {
  expect(read([Buffer.from(`${version} 200 OK\r\n${field}Content-Length: 0\r\n\r\n`)])).toMatchObject({ isEnd: true, isLast });
});

test("an answer that is its connection's last may be in chunks", () => {
  const text = "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
  expect(read([Buffer.from(text)])).toMatchObject({ isLast: true, isEnd: true, data: "ok" });
});

test("an answer without a length ends where the connection does", () => {
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
])("%j is odd", (text) => {
  expect(() => read([Buffer.from(text)])).toThrow(OddAnswer);
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
])("chunks of %j break off", (chunks) => {
  expect(() => read([Buffer.from(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`)])).toThrow("not HTTP");
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createAnswerReader, OddAnswer } from "../../../src/proxy/lane/answer-reader.ts";

const ADDRESSES = { service: new URL("https://service.example"), own: "http://localhost:8080" };

function read(pieces: readonly Buffer[], method = "GET") {
  const heard = { status: 0, kept: "", written: "", data: "", isEnd: false, isClean: true };
  const listener = {
    onHead: ({ status, kept }: { status: number; kept: string }) => void Object.assign(heard, { status, kept }),
    onBody(bytes: Buffer, isEnd: boolean, isClean: boolean) {
      heard.written += bytes.toString("latin1");
      Object.assign(heard, { isEnd, isClean });
    },
    see: (data: Buffer) => void (heard.data += data.toString("latin1")),
  };
  const reader = createAnswerReader(method, ADDRESSES, listener);
  for (const piece of pieces) reader.read(piece);
  return { ...heard, closes: () => reader.close() };
}

const CHUNKED =
  "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\nLocation: https://service.example/x\r\n\r\n5;x=y\r\nab\r\nc\r\n1\r\nd\r\n0\r\nX-Sum: 6\r\n\r\n";
const LENGTH = "HTTP/1.1 200\r\nContent-Length: 4\r\nSet-Cookie: a=1; Domain=service.example\r\nAlt-Svc: x\r\n\r\nbody";

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
  "HTTP/1.1 200 OK\r\nConnection: X-Mine\r\nX-Mine: 1\r\n\r\n",
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

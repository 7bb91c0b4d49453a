import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createAnswerReader } from "../../src/load/answer-reader.ts";

type Seen = readonly [status: number, isKept: boolean];

/** Reads answers to as many requests as there are, in pieces; the next one is expected when one is whole. */
function read(pieces: readonly Buffer[], { toHead = false, ended = false } = {}): readonly Seen[] {
  const seen: Seen[] = [];
  const reader = createAnswerReader(({ status, isKept }) => {
    seen.push([status, isKept]);
    reader.expect(toHead);
  });
  reader.expect(toHead);
  for (const piece of pieces) reader.read(piece);
  if (ended) reader.end();
  return seen;
}

const LENGTH = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKS =
  "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n5;name=value\r\nhello\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
const EMPTY = "HTTP/1.1 204 No Content\r\n\r\n";
const EARLY = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nConnection: close\r\n\r\n";

test("answers end where they end, whatever pieces they come in", () => {
  const answers = [LENGTH, CHUNKS, EMPTY, EARLY, LENGTH].map((text) => Buffer.from(text));
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: CHUNKS.length })), (cuts) => {
      const pieces = answers.flatMap((bytes) => {
        const bounds = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length];
        return bounds.slice(1).map((bound, index) => Buffer.from(bytes.subarray(bounds[index], bound)));
      });
      expect(read(pieces)).toEqual([
        [200, true],
        [201, true],
        [204, true],
        [404, false],
        [200, true],
      ]);
    }),
    { numRuns: 50 },
  );
});

test("a buffer that is used again spoils nothing of what came before", () => {
  const buffer = Buffer.alloc(20);
  const seen: number[] = [];
  const reader = createAnswerReader(({ status }) => seen.push(status));
  reader.expect(false);
  for (let at = 0; at < LENGTH.length; at += 20) {
    const length = buffer.write(LENGTH.slice(at, at + 20));
    reader.read(buffer.subarray(0, length));
    buffer.fill(0);
  }
  expect(seen).toEqual([200]);
});

test("what answers HEAD has no body, and a body without a length ends with the connection", () => {
  const head = Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  expect(read([head, head], { toHead: true })).toEqual([
    [200, true],
    [200, true],
  ]);
  const open = Buffer.from("HTTP/1.1 200 OK\r\n\r\nuntil the end");
  expect(read([open])).toEqual([]);
  expect(read([open], { ended: true })).toEqual([[200, false]]);
  expect(read([Buffer.from(LENGTH.slice(0, -1))], { ended: true })).toEqual([]);
});

test("HTTP/1.0 keeps the connection only where it says so", () => {
  const answer = (more: string) => Buffer.from(`HTTP/1.0 200 OK\r\n${more}Content-Length: 0\r\n\r\n`);
  expect(read([answer(""), answer("Connection: keep-alive\r\n")])).toEqual([
    [200, false],
    [200, true],
  ]);
});

test.for([
  ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n"],
  ["no status", "HTTP/1.1 OK\r\n\r\n"],
  ["a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: 1e3\r\n\r\n"],
  ["a coding that was not asked for", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"],
  ["a chunk without a size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n"],
  ["a chunk longer than it says", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n"],
  ["a change of the protocol", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
  ["a head without an end", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(70_000)}`],
])("%s is no answer", ([, text = ""]) => {
  expect(() => read([Buffer.from(text)])).toThrow(expect.objectContaining({ code: "NOT_HTTP" }));
});

test("bytes that nobody asked for are no answer", () => {
  const reader = createAnswerReader(() => {});
  reader.expect(false);
  reader.read(Buffer.from(LENGTH));
  expect(() => reader.read(Buffer.from(LENGTH))).toThrow("belong to no answer");
  expect(() => read([Buffer.from(LENGTH + LENGTH)])).toThrow("belong to no answer");
});

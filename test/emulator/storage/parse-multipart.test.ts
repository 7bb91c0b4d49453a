import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseMultipartRelated } from "../../../src/emulator/storage/parse-multipart.ts";

function related(media: Buffer, line: string, boundary = "==b=="): Buffer {
  const head = [
    `--${boundary}`,
    "Content-Type: application/json",
    "",
    '{"name": "n"}',
    `--${boundary}`,
    "Content-Type: application/x-tar",
    "",
    "",
  ];
  return Buffer.concat([Buffer.from(head.join(line)), media, Buffer.from(`${line}--${boundary}--`)]);
}

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Buffer, size = bytes.length, contentType = 'multipart/related; boundary="==b=="') {
  const { metadata, contentType: mediaType, media } = await parseMultipartRelated(contentType, pieces(bytes, size));
  const chunks: Uint8Array[] = [];
  for await (const chunk of media) chunks.push(chunk);
  return { metadata, mediaType, media: Buffer.concat(chunks) };
}

test("any bytes are read unchanged, however the request is split and its lines end", async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.array(fc.constantFrom("\r", "\n", "--", "==b==", "x"), { maxLength: 40 }).map((parts) => Buffer.from(parts.join(""))),
  );
  await fc.assert(
    fc.asyncProperty(bytes, fc.constantFrom("\n", "\r\n"), fc.integer({ min: 1, max: 80 }), async (content, line, size) => {
      const media = Buffer.from(content);
      fc.pre(!media.includes(`${line}--==b==--`));
      expect(await read(related(media, line), size)).toEqual({ metadata: '{"name": "n"}', mediaType: "application/x-tar", media });
    }),
    { numRuns: 300 },
  );
});

test("parts without headers, a preamble, an unquoted boundary and an epilogue are accepted", async () => {
  const text = "hello\r\n--b\r\n\r\n{}\r\n--b\r\n\r\nmedia\r\n--b--\r\ngood bye";
  expect(await read(Buffer.from(text), 7, "multipart/related; type=x; boundary=b")).toEqual({
    metadata: "{}",
    mediaType: undefined,
    media: Buffer.from("media"),
  });
});

test.for([
  ["in the media", (whole: Buffer) => whole.subarray(0, -4)],
  ["in the metadata", (whole: Buffer) => whole.subarray(0, 40)],
  ["at once", () => Buffer.alloc(0)],
] as const)("a body that ends %s is rejected", async ([, cut]) => {
  await expect(read(cut(related(Buffer.from("media"), "\n")), 16)).rejects.toThrow(
    "Malformed multipart body: the request ends before the last boundary.",
  );
});

test("a content type without a boundary is rejected", async () => {
  await expect(read(Buffer.from("x"), 1, "multipart/related")).rejects.toThrow("the Content-Type has no boundary");
});

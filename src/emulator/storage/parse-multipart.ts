import { StorageError } from "./storage-error.ts";

export interface RelatedParts {
  /** The first part: the object's metadata in JSON. */
  readonly metadata: string;
  readonly contentType: string | undefined;
  /** The bytes of the second part; throws if the request ends before the closing delimiter. */
  readonly media: AsyncIterable<Uint8Array>;
}

/** Cloud Storage allows 8 KiB of custom metadata, and the rest is small. */
const MAX_METADATA_BYTES = 1024 * 1024;

/**
 * Parses a multipart/related body: RFC 2387, as in Cloud Storage's multipart upload. All lines end like the first one: with CRLF, or with
 * the bare LF that Google's Python clients send.
 */
export async function parseMultipartRelated(contentType: string, body: AsyncIterable<Uint8Array>): Promise<RelatedParts> {
  const boundaryMatch = /^multipart\/related\s*;(?:.*;)?\s*boundary=(?:"([^"]+)"|'([^']+)'|([^\s;"']+))/i.exec(contentType);
  // gcloud puts the boundary in single quotes, which no RFC allows but Google accepts.
  const boundary = boundaryMatch?.[1] ?? boundaryMatch?.[2] ?? boundaryMatch?.[3];
  if (boundary === undefined) throw malformed("the Content-Type has no boundary");

  const source = body[Symbol.asyncIterator]();
  let buffer: Buffer = Buffer.alloc(0);
  const readMore = async (): Promise<void> => {
    const next = await source.next();
    if (next.done) throw malformed("the request ends before the last boundary");
    buffer = buffer.length === 0 ? Buffer.from(next.value) : Buffer.concat([buffer, next.value]);
  };
  /** Removes everything up to and including a mark from the buffer; returns the text before the mark. */
  const takeUntil = async (mark: string): Promise<string> => {
    for (let at = buffer.indexOf(mark); ; at = buffer.indexOf(mark)) {
      if (at >= 0) {
        const text = buffer.toString("utf8", 0, at);
        buffer = buffer.subarray(at + Buffer.byteLength(mark));
        return text;
      }
      if (buffer.length > MAX_METADATA_BYTES) throw malformed("the metadata part is too long");
      await readMore();
    }
  };

  await takeUntil(`--${boundary}`);
  const lineEnd = (await takeUntil("\n")).endsWith("\r") ? "\r\n" : "\n";
  // A part without headers starts with an empty line, whose first half is the delimiter's own line end.
  buffer = Buffer.concat([Buffer.from(lineEnd), buffer]);
  await takeUntil(`${lineEnd}${lineEnd}`);
  const metadata = await takeUntil(`${lineEnd}--${boundary}`);
  const headers = await takeUntil(`${lineEnd}${lineEnd}`);

  async function* media(): AsyncGenerator<Uint8Array> {
    const delimiter = Buffer.from(`${lineEnd}--${boundary}--`);
    let end = buffer.indexOf(delimiter);
    while (end < 0) {
      // Bytes that could start the delimiter are held back until more arrive.
      const safeLength = buffer.length - delimiter.length;
      if (safeLength > 0) {
        yield buffer.subarray(0, safeLength);
        buffer = buffer.subarray(safeLength);
      }
      await readMore();
      end = buffer.indexOf(delimiter);
    }
    yield buffer.subarray(0, end);
    while (!(await source.next()).done);
  }
  return { metadata, contentType: /^content-type:\s*(.+?)\s*$/im.exec(headers)?.[1], media: media() };
}

function malformed(reason: string): StorageError {
  return new StorageError(400, "badRequest", `Malformed multipart body: ${reason}.`);
}

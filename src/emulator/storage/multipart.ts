import { StorageError } from "./storage-error.ts";

export interface RelatedParts {
  /** The first part: the object's metadata, JSON. */
  readonly metadata: string;
  /** The second part's own content type. */
  readonly contentType: string | undefined;
  /** The second part's bytes; throws where the request ends before its closing delimiter. */
  readonly media: AsyncIterable<Uint8Array>;
}

/** The metadata's most bytes: Cloud Storage has 8 KiB of custom metadata, and the rest is small. */
const MOST_HEAD_BYTES = 1024 * 1024;

/**
 * Reads a multipart/related body: RFC 2387, as Cloud Storage's multipart upload has it.
 * Lines end as the first one does: CRLF, or the bare LF that Google's Python clients send.
 */
export async function readRelated(contentType: string, body: AsyncIterable<Uint8Array>): Promise<RelatedParts> {
  const quoted = /^multipart\/related\s*;(?:.*;)?\s*boundary=(?:"([^"]+)"|'([^']+)'|([^\s;"']+))/i.exec(contentType);
  // gcloud puts the boundary in single quotes, which no RFC knows and Google takes off.
  const boundary = quoted?.[1] ?? quoted?.[2] ?? quoted?.[3];
  if (boundary === undefined) throw malformed("the Content-Type has no boundary");

  const source = body[Symbol.asyncIterator]();
  let buffer: Buffer = Buffer.alloc(0);
  const more = async (): Promise<void> => {
    const next = await source.next();
    if (next.done) throw malformed("the request ends before the last boundary");
    buffer = buffer.length === 0 ? Buffer.from(next.value) : Buffer.concat([buffer, next.value]);
  };
  /** Takes what comes before a mark, and the mark away; what is left stays in the buffer. */
  const takeUntil = async (mark: string): Promise<string> => {
    for (let at = buffer.indexOf(mark); ; at = buffer.indexOf(mark)) {
      if (at >= 0) {
        const taken = buffer.toString("utf8", 0, at);
        buffer = buffer.subarray(at + Buffer.byteLength(mark));
        return taken;
      }
      if (buffer.length > MOST_HEAD_BYTES) throw malformed("the metadata part is too long");
      await more();
    }
  };

  await takeUntil(`--${boundary}`);
  const line = (await takeUntil("\n")).endsWith("\r") ? "\r\n" : "\n";
  // A part without headers begins with the empty line: the delimiter's own line end is the first half of it.
  buffer = Buffer.concat([Buffer.from(line), buffer]);
  await takeUntil(`${line}${line}`);
  const metadata = await takeUntil(`${line}--${boundary}`);
  const headers = await takeUntil(`${line}${line}`);

  async function* media(): AsyncGenerator<Uint8Array> {
    const delimiter = Buffer.from(`${line}--${boundary}--`);
    let end = buffer.indexOf(delimiter);
    while (end < 0) {
      // What could be the beginning of the delimiter is held back until more is there.
      const sure = buffer.length - delimiter.length;
      if (sure > 0) {
        yield buffer.subarray(0, sure);
        buffer = buffer.subarray(sure);
      }
      await more();
      end = buffer.indexOf(delimiter);
    }
    yield buffer.subarray(0, end);
    while (!(await source.next()).done);
  }
  return { metadata, contentType: /^content-type:\s*(.+?)\s*$/im.exec(headers)?.[1], media: media() };
}

function malformed(why: string): StorageError {
  return new StorageError(400, "badRequest", `Malformed multipart body: ${why}.`);
}

import type { AnswerHead } from "./response-head.ts";
import { createChunkReader, type ChunkReader } from "./chunks.ts";
import { INCOMPLETE, MAX_HEADER_BYTES, type ODD } from "./fields.ts";

/** Who hears what was read of an answer. */
interface Listener<Head> {
  onHead(head: Head): void;
  /** A piece of the body as it was written, chunks and all. `isClean` where nothing has come after the end. */
  onBody(bytes: Buffer, isEnd: boolean, isClean: boolean): void;
  /** The same without what chunks are made of. */
  see?: ((data: Buffer) => void) | undefined;
}

export interface AnswerReader {
  /** Nothing of the bytes is kept that may be another's later. Throws OddAnswer, and an error where the body is malformed. */
  read(bytes: Buffer): void;
  /** The connection is closed in order. True where that is the answer's end. */
  close(): boolean;
  /** True until something has come. */
  isUntouched(): boolean;
  /** The fields after a body in chunks, each with its line end. */
  trailers(): string;
}

/** A head that is none of HTTP/1.1, or that two readers may read differently. */
export class OddAnswer extends Error {
  override readonly name = "OddAnswer";
  readonly code = "NOT_HTTP";
  override readonly message = "what it answers is not HTTP";
}

/** Reads an answer, in whatever pieces it comes, when `readHead` has read what its head's text begins with. Interim answers go unheard: RFC 9110, section 15.2. */
export function createAnswerReader<Head extends AnswerHead>(
  readHead: (text: string) => Head | typeof INCOMPLETE | typeof ODD,
  listener: Listener<Head>,
  mostHeaderBytes = MAX_HEADER_BYTES,
): AnswerReader {
  let pending: Buffer | undefined;
  let head: Head | undefined;
  let chunks: ChunkReader | undefined;
  let left: number | undefined;

  const begin = (bytes: Buffer): void => {
    const all = pending ? Buffer.concat([pending, bytes]) : bytes;
    const read = readHead(all.toString("latin1", 0, mostHeaderBytes));
    if (read === INCOMPLETE && all.length < mostHeaderBytes) {
      pending = pending ? all : Buffer.from(bytes);
      return;
    }
    // The change to another protocol was not asked for.
    if (typeof read === "string" || read.status === 101) throw new OddAnswer();
    pending = undefined;
    if (read.status < 200) {
      if (read.end < all.length) begin(all.subarray(read.end));
      return;
    }
    head = read;
    left = read.length;
    if (read.isChunked) chunks = createChunkReader();
    listener.onHead(read);
    readBody(all, read.end);
  };
  const readBody = (bytes: Buffer, from: number): void => {
    let to = bytes.length;
    let isEnd = false;
    if (chunks) {
      const end = chunks.read(bytes, from, listener.see);
      isEnd = end >= 0;
      if (isEnd) to = end;
    } else {
      if (left !== undefined) {
        to = Math.min(to, from + left);
        left -= to - from;
        isEnd = left === 0;
      }
      listener.see?.(bytes.subarray(from, to));
    }
    listener.onBody(bytes.subarray(from, to), isEnd, to === bytes.length);
  };

  return {
    read: (bytes) => (head ? readBody(bytes, 0) : begin(bytes)),
    close() {
      if (!head || chunks || left !== undefined) return false;
      listener.onBody(Buffer.alloc(0), true, false);
      return true;
    },
    isUntouched: () => !head && !pending,
    trailers: () => chunks?.trailers() ?? "",
  };
}

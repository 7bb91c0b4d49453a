import type { Addresses } from "../headers.ts";
import { MOST_HEADER_BYTES } from "../upstream.ts";
import { readAnswerHead, type AnswerHead } from "./answer-head.ts";
import { createChunkReader, type ChunkReader } from "./chunks.ts";
import { INCOMPLETE } from "./fields.ts";

/** Who hears what was read of an answer. */
interface Listener {
  onHead(head: AnswerHead): void;
  /** A piece of the body as it was written, chunks and all. `isClean` where nothing has come after the end. */
  onBody(bytes: Buffer, isEnd: boolean, isClean: boolean): void;
  /** The same without what chunks are made of. */
  see?: ((data: Buffer) => void) | undefined;
}

export interface AnswerReader {
  /** Throws OddAnswer, and an error where the body is malformed. */
  read(bytes: Buffer): void;
  /** The connection is closed in order. True where that is the answer's end. */
  close(): boolean;
  /** True until something has come. */
  isUntouched(): boolean;
}

/** A head that is none of HTTP/1.1, or that two readers may read differently. */
export class OddAnswer extends Error {
  override readonly name = "OddAnswer";
  override readonly message = "what it answers is not HTTP";
}

/** Reads the answer to a request of that method, in whatever pieces it comes. Interim answers go unheard: RFC 9110, section 15.2. */
export function createAnswerReader(method: string, addresses: Addresses, listener: Listener): AnswerReader {
  let pending: Buffer | undefined;
  let head: AnswerHead | undefined;
  let chunks: ChunkReader | undefined;
  let left: number | undefined;

  const readHead = (bytes: Buffer): void => {
    const all = pending ? Buffer.concat([pending, bytes]) : bytes;
    pending = all;
    const read = readAnswerHead(all.toString("latin1", 0, MOST_HEADER_BYTES), method, addresses);
    if (read === INCOMPLETE && all.length < MOST_HEADER_BYTES) return;
    // The change to another protocol was not asked for.
    if (typeof read === "string" || read.status === 101) throw new OddAnswer();
    pending = undefined;
    if (read.status < 200) {
      if (read.end < all.length) readHead(all.subarray(read.end));
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
    read: (bytes) => (head ? readBody(bytes, 0) : readHead(bytes)),
    close() {
      if (!head || chunks || left !== undefined) return false;
      listener.onBody(Buffer.alloc(0), true, false);
      return true;
    },
    isUntouched: () => !head && !pending,
  };
}

import { MAX_HEADER_BYTES } from "../raw-headers.ts";
import { createChunkReader, type ChunkReader } from "./chunks.ts";
import { MalformedResponse } from "./malformed-response.ts";
import { readResponseHead, type ResponseHead } from "./response-head.ts";

export interface ResponseReader {
  /** Reads the next bytes of the connection, which it doesn't keep. Throws MalformedResponse. */
  read(bytes: Buffer): void;
  /** The connection was closed in order. True if that ends the response. */
  close(): boolean;
}

/**
 * Reads a response to a request of a method, in whatever pieces it arrives, without its interim responses (RFC 9110, section 15.2). `onEnd` gets its head, and
 * whether no bytes follow it.
 */
export function createResponseReader(method: string, onEnd: (head: ResponseHead, isClean: boolean) => void): ResponseReader {
  let pending: Buffer | undefined;
  let head: ResponseHead | undefined;
  let chunks: ChunkReader | undefined;
  let bytesLeft: number | undefined;

  const readHead = (bytes: Buffer): void => {
    const received = pending ? Buffer.concat([pending, bytes]) : bytes;
    const complete = readResponseHead(received.toString("latin1", 0, MAX_HEADER_BYTES), method);
    if (!complete) {
      if (received.length >= MAX_HEADER_BYTES) throw new MalformedResponse();
      pending = pending ? received : Buffer.from(bytes);
      return;
    }
    // No one asked for another protocol.
    if (complete.status === 101) throw new MalformedResponse();
    pending = undefined;
    if (complete.status < 200) {
      if (complete.end < received.length) readHead(received.subarray(complete.end));
      return;
    }
    head = complete;
    bytesLeft = complete.length;
    if (complete.isChunked) chunks = createChunkReader();
    readBody(complete, received, complete.end);
  };
  const readBody = (complete: ResponseHead, bytes: Buffer, from: number): void => {
    if (chunks) {
      const end = chunks.read(bytes, from);
      if (end !== undefined) onEnd(complete, end === bytes.length);
    } else if (bytesLeft !== undefined) {
      const size = Math.min(bytes.length - from, bytesLeft);
      bytesLeft -= size;
      if (bytesLeft === 0) onEnd(complete, from + size === bytes.length);
    }
  };

  return {
    read: (bytes) => (head ? readBody(head, bytes, 0) : readHead(bytes)),
    close() {
      if (!head || chunks || bytesLeft !== undefined) return false;
      onEnd(head, true);
      return true;
    },
  };
}

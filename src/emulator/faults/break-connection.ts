import type { ServerResponse } from "node:http";
import { Socket } from "node:net";

/** RFC 9113, section 7: the stream ended for a reason of the server's own. */
const INTERNAL_ERROR = 2;

/** Over HTTP/2 an answer has a stream, and the connection is its session's. */
type Answer = ServerResponse & { readonly stream?: { close(code: number): void; readonly session?: { readonly socket: Socket } } };

/** Ends the connection without an answer: by a TCP reset, as of a machine that is gone. */
export function resetConnection(response: Answer): void {
  const socket = response.stream?.session?.socket ?? response.socket;
  // Only TCP knows a reset, and TLS lies above it.
  const below = (socket as { readonly _parent?: unknown } | null)?._parent ?? socket;
  if (below instanceof Socket) below.resetAndDestroy();
  else socket?.destroy();
}

/** Lets so many bytes of the body through, then ends the connection; a body that is no longer arrives whole. */
export function truncateBody(response: Answer, bytes: number): void {
  const write = response.write.bind(response) as (chunk: Buffer) => boolean;
  const end = response.end.bind(response) as () => ServerResponse;
  let left = bytes;
  /** False where that was too much. */
  const pass = (chunk: Buffer): boolean => {
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (part.length > 0) write(part);
    return part.length === chunk.length;
  };
  const breakOff = (): void => {
    response.flushHeaders();
    if (response.stream) response.stream.close(INTERNAL_ERROR);
    else response.socket?.destroySoon();
  };
  response.write = ((chunk: unknown, encoding: unknown, done: unknown) => {
    const whole = pass(bytesOf(chunk, encoding));
    if (!whole) breakOff();
    for (const callback of [encoding, done]) if (typeof callback === "function") callback();
    return whole;
  }) as ServerResponse["write"];
  response.end = ((chunk: unknown, encoding: unknown) => {
    const whole = chunk == null || typeof chunk === "function" || pass(bytesOf(chunk, encoding));
    if (!whole) breakOff();
    else end();
    return response;
  }) as ServerResponse["end"];
}

function bytesOf(chunk: unknown, encoding: unknown): Buffer {
  return typeof chunk === "string"
    ? Buffer.from(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8")
    : Buffer.from(chunk as Uint8Array);
}

import type { ServerResponse } from "node:http";
import { Socket } from "node:net";

/** RFC 9113, section 7: the server ended the stream because of an internal error. */
const INTERNAL_ERROR = 2;

/** Over HTTP/2, a response has a stream, and the connection belongs to its session. */
type Answer = ServerResponse & { readonly stream?: { close(code: number): void; readonly session?: { readonly socket: Socket } } };

export function resetConnection(response: Answer): void {
  const socket = response.stream?.session?.socket ?? response.socket;
  // Only TCP has a reset, and TLS runs on top of it.
  const below = (socket as { readonly _parent?: unknown } | null)?._parent ?? socket;
  if (below instanceof Socket) below.resetAndDestroy();
  else socket?.destroy();
}

/** Sends the first `bytes` of the body, then ends the connection; a shorter body arrives complete. */
export function truncateBody(response: Answer, bytes: number): void {
  const write = response.write.bind(response) as (chunk: Buffer) => boolean;
  const end = response.end.bind(response) as () => ServerResponse;
  let bytesLeft = bytes;
  /** Writes the part of a chunk that is still allowed; false if that wasn't all. */
  const writeAllowed = (chunk: Buffer): boolean => {
    const part = chunk.subarray(0, bytesLeft);
    bytesLeft -= part.length;
    if (part.length > 0) write(part);
    return part.length === chunk.length;
  };
  const closeEarly = (): void => {
    response.flushHeaders();
    if (response.stream) response.stream.close(INTERNAL_ERROR);
    else response.socket?.destroySoon();
  };
  response.write = ((chunk: unknown, encoding: unknown, done: unknown) => {
    const whole = writeAllowed(bytesOf(chunk, encoding));
    if (!whole) closeEarly();
    for (const callback of [encoding, done]) if (typeof callback === "function") callback();
    return whole;
  }) as ServerResponse["write"];
  response.end = ((chunk: unknown, encoding: unknown) => {
    const whole = chunk == null || typeof chunk === "function" || writeAllowed(bytesOf(chunk, encoding));
    if (!whole) closeEarly();
    else end();
    return response;
  }) as ServerResponse["end"];
}

function bytesOf(chunk: unknown, encoding: unknown): Buffer {
  return typeof chunk === "string"
    ? Buffer.from(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8")
    : Buffer.from(chunk as Uint8Array);
}

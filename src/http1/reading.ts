import type { OnReadOpts } from "node:net";

/** Bytes of a connection's buffer, and of one that much comes by. */
const SHORT = 16 * 1024;
const LONG = 64 * 1024;

/**
 * Has a socket read into one buffer again and again: a new one for each read costs as much as to pass on what is read. `take` gives false where it still
 * needs the bytes when it returns.
 */
export function createReading(take: (bytes: Buffer) => boolean): OnReadOpts {
  let buffer = Buffer.allocUnsafeSlow(SHORT);
  return {
    buffer: () => buffer,
    callback(size) {
      const isFree = take(buffer.subarray(0, size));
      const wanted = size === buffer.length ? LONG : buffer.length;
      if (!isFree || wanted > buffer.length) buffer = Buffer.allocUnsafeSlow(wanted);
      return true;
    },
  };
}

import type { OnReadOpts } from "node:net";

/** Bytes of a connection's buffer at first, and at the most. */
const LEAST = 4 * 1024;
const MOST = 64 * 1024;

/**
 * Has a socket read into one buffer again and again: a new one for each read costs as much as to pass on what is read. It grows where it was too small.
 * `take` gives false where it still needs the bytes when it returns.
 */
export function createReading(take: (bytes: Buffer) => boolean): OnReadOpts {
  let buffer = Buffer.allocUnsafeSlow(LEAST);
  return {
    buffer: () => buffer,
    callback(size) {
      const isFree = take(buffer.subarray(0, size));
      const wanted = size === buffer.length ? Math.min(4 * size, MOST) : buffer.length;
      if (!isFree || wanted > buffer.length) buffer = Buffer.allocUnsafeSlow(wanted);
      return true;
    },
  };
}

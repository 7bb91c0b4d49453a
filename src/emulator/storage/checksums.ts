import { createHash } from "node:crypto";
import { crc32c } from "./crc32c.ts";

/** How Cloud Storage describes an object's bytes: the size in bytes, the checksums in base64. */
export interface Checksums {
  readonly size: number;
  readonly md5Hash: string;
  readonly crc32c: string;
}

/** Takes bytes in as they come, and says at any time what they add up to so far. */
export interface Summer {
  add(bytes: Uint8Array): void;
  sum(): Checksums;
}

export function createSummer(): Summer {
  const md5 = createHash("md5");
  let size = 0;
  let crc = 0;
  return {
    add(bytes) {
      md5.update(bytes);
      crc = crc32c(bytes, crc);
      size += bytes.length;
    },
    sum() {
      const bigEndian = Buffer.alloc(4);
      bigEndian.writeUInt32BE(crc);
      return { size, md5Hash: md5.copy().digest("base64"), crc32c: bigEndian.toString("base64") };
    },
  };
}

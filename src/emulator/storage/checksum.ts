import { createHash } from "node:crypto";
import { crc32c } from "./crc32c.ts";

/** An object's size in bytes, and its checksums in base64, as in Cloud Storage. */
export interface Checksums {
  readonly size: number;
  readonly md5Hash: string;
  readonly crc32c: string;
}

export interface Checksum {
  add(bytes: Uint8Array): void;
  current(): Checksums;
}

export function createChecksum(): Checksum {
  const md5 = createHash("md5");
  let size = 0;
  let crc = 0;
  return {
    add(bytes) {
      md5.update(bytes);
      crc = crc32c(bytes, crc);
      size += bytes.length;
    },
    current() {
      const bigEndian = Buffer.alloc(4);
      bigEndian.writeUInt32BE(crc);
      return { size, md5Hash: md5.copy().digest("base64"), crc32c: bigEndian.toString("base64") };
    },
  };
}

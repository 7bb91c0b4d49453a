import { expect, test } from "vitest";
import { crc32c } from "../../../src/emulator/storage/crc32c.ts";

// RFC 3720, appendix B.4, and the usual check value.
test.for([
  ["32 zeros", Buffer.alloc(32), 0x8a9136aa],
  ["32 ones", Buffer.alloc(32, 0xff), 0x62a8ab43],
  ["ascending bytes", Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
  ["the digits", Buffer.from("123456789"), 0xe3069283],
  ["nothing", Buffer.alloc(0), 0],
] as const)("crc32c of %s is the published value", ([, bytes, expected]) => {
  expect(crc32c(bytes)).toBe(expected);
});

test("crc32c continues from an earlier piece", () => {
  expect(crc32c(Buffer.from("456789"), crc32c(Buffer.from("123")))).toBe(0xe3069283);
});

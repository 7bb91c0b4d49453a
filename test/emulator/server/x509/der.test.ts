import { expect, test } from "vitest";
import { bits, boolean, der, flags, integer, objectId, octets, sequence, text, time } from "../../../../src/emulator/server/x509/der.ts";

test.for<[string, Buffer, string]>([
  ["a length of one byte", octets(new Uint8Array(127)).subarray(0, 3), "047f00"],
  ["a length of two bytes", octets(new Uint8Array(128)).subarray(0, 4), "04818000"],
  ["a length of three bytes", octets(new Uint8Array(256)).subarray(0, 5), "0482010000"],
  ["nothing", sequence(), "3000"],
  ["a null", der(0x05), "0500"],
  ["zero", integer(Buffer.from("0000", "hex")), "020100"],
  ["a number with leading zeroes", integer(Buffer.from("00007f", "hex")), "02017f"],
  ["a number whose first bit is set", integer(Buffer.from("80", "hex")), "02020080"],
  ["true", boolean(true), "0101ff"],
  ["whole bytes of bits", bits(Buffer.from("a5", "hex")), "030200a5"],
  ["the first flag", flags(0), "03020780"],
  ["two flags", flags(5, 6), "03020106"],
  ["an object identifier whose numbers are small", objectId("2.5.29.19"), "0603551d13"],
  ["an object identifier whose numbers are large", objectId("1.2.840.113549.1.1.11"), "06092a864886f70d01010b"],
  ["plain letters", text("a (b)"), "13056120286229"],
  ["other letters", text("é_"), "0c03c3a95f"],
  ["the last second before 2050", time(Date.parse("2049-12-31T23:59:59.999Z")), `170d${Buffer.from("491231235959Z").toString("hex")}`],
  ["the first second of 2050", time(Date.parse("2050-01-01T00:00:00Z")), `180f${Buffer.from("20500101000000Z").toString("hex")}`],
])("%s is written as X.690 has it", ([, value, hex]) => {
  expect(value.toString("hex")).toBe(hex);
});

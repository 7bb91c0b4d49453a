import { expect, test } from "vitest";
import { parseRange } from "../../../src/emulator/storage/byte-range.ts";

test.for([
  ["bytes=0-", 10, { start: 0, end: 9 }],
  ["bytes=4-6", 10, { start: 4, end: 6 }],
  ["bytes=4-600", 10, { start: 4, end: 9 }],
  ["bytes=-3", 10, { start: 7, end: 9 }],
  ["bytes=-30", 10, { start: 0, end: 9 }],
  ["bytes=10-", 10, "unsatisfiable"],
  ["bytes=0-", 0, "unsatisfiable"],
  ["bytes=-0", 10, "unsatisfiable"],
  ["bytes=6-4", 10, undefined],
  ["bytes=-", 10, undefined],
  ["bytes=0-1,3-4", 10, undefined],
  ["lines=0-1", 10, undefined],
  [undefined, 10, undefined],
] as const)("%s of %i bytes", ([header, size, expected]) => {
  expect(parseRange(header, size)).toEqual(expected);
});

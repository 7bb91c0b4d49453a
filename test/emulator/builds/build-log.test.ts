import { expect, test } from "vitest";
import { logObject, prefixLines } from "../../../src/emulator/builds/build-log.ts";

test("each line gets the prefix once, however the text is split", () => {
  let out = "";
  const write = prefixLines("Step #0: ", (text) => (out += text));
  for (const text of ["one\ntw", "o\n", "", "\nthree"]) write(text);
  expect(out).toBe("Step #0: one\nStep #0: two\nStep #0: \nStep #0: three");
});

test.for([
  ["gs://bucket", { bucket: "bucket", name: "log-1.txt" }],
  ["bucket", { bucket: "bucket", name: "log-1.txt" }],
  ["gs://bucket/a/b/", { bucket: "bucket", name: "a/b/log-1.txt" }],
] as const)("the log of a build with the logs bucket %s", ([logsBucket, expected]) => {
  expect(logObject(logsBucket, "1")).toEqual(expected);
});

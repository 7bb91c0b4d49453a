import * as fc from "fast-check";
import { expect, test } from "vitest";
import { indentJson, compactJson } from "../../src/invoke/json-text.ts";

test("JSON is indented like JSON.stringify's, however it was written", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 1, "\t", 7), (value, space) => {
      expect(indentJson(JSON.stringify(value, null, space))).toBe(JSON.stringify(value, null, 2));
    }),
  );
});

test("numbers, keys and escapes stay as they are written", () => {
  const text = '{"id":9007199254740993,"id":1.10,"a":1e400,"b":"\\u00e9\\/\\"","c":[ -0 ],"d":[ ],"e":{ \n}}';
  expect(indentJson(text)).toBe(`{
  "id": 9007199254740993,
  "id": 1.10,
  "a": 1e400,
  "b": "\\u00e9\\/\\"",
  "c": [
    -0
  ],
  "d": [],
  "e": {}
}`);
});

test("deeply nested and long texts are indented in time", () => {
  const depth = 5000;
  expect(indentJson("[".repeat(depth) + "]".repeat(depth)).split("\n")).toHaveLength(2 * depth - 1);
  const long = JSON.stringify({ text: '\\"x'.repeat(1_000_000) });
  expect(indentJson(long)).toBe(`{\n  ${long.slice(1, -1).replace(":", ": ")}\n}`);
});

test("JSON on one line is the same JSON, with each number and string as it is written", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      expect(compactJson(JSON.stringify(value, null, 2))).toBe(JSON.stringify(value));
    }),
  );
  expect(compactJson('{ "a b": 9007199254740993,\n"c": "\\" d\\n" }')).toBe('{"a b":9007199254740993,"c":"\\" d\\n"}');
  const long = JSON.stringify(['\\"'.repeat(3_000_000)]);
  expect(compactJson(long) === long).toBe(true);
});

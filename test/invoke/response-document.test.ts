import { expect, test } from "vitest";
import { formatResponse } from "../../src/invoke/response-document.ts";

const written = (body: string | Buffer, type?: string) =>
  formatResponse({ status: 200, headers: type === undefined ? {} : { "content-type": type }, bytes: Buffer.from(body as string) });

test("the document is exactly the original sample's", () => {
  expect(written('{"message":"Hello World from authenticated Cloud Run!"}\n', "application/json")).toBe(`{
  "status_code": 200,
  "response": {
    "message": "Hello World from authenticated Cloud Run!"
  }
}
`);
});

test.for([
  ["an object of no type", "{}", undefined, {}],
  ["an array of another type", "[1]", "text/html", [1]],
  ["a number that says it is JSON", "1", "application/json; charset=utf-8", 1],
  ["a type that ends in +json", '"x"', "application/problem+json", "x"],
  ["JSON behind a byte order mark", "\uFEFF{}", "application/json", {}],
  ["a number of no type", "1", undefined, "1"],
  ["a number that is text", "1", "text/plain", "1"],
  ["lines of JSON", "1\n2", "application/x-ndjson", "1\n2"],
  ["broken JSON", "{", "application/json", "{"],
  ["nothing", "", "application/json", ""],
  ["text", "grüße", "text/plain", "grüße"],
] as const)("%s: the response has the right form", ([, body, type, response]) => {
  expect(JSON.parse(written(body, type))).toEqual({ status_code: 200, response });
});

test("binary data becomes base64 and is marked as such", () => {
  const bytes = Buffer.from([0xff, 0x00, 0x80]);
  expect(JSON.parse(written(bytes, "image/png"))).toEqual({
    status_code: 200,
    response: bytes.toString("base64"),
    response_encoding: "base64",
  });
});

test("numbers that JavaScript can't represent are printed as the service wrote them", () => {
  expect(written('{"id":12345678901234567890}')).toContain('"id": 12345678901234567890');
});

test("a service can't control the terminal", () => {
  for (const type of ["application/json", "text/plain"]) {
    const document = written(JSON.stringify("a\u009b31mb\u007f\u001b[1m"), type);
    expect(document).toMatch(/^[\x20-\x7e\n]*$/);
  }
  expect(JSON.parse(written('{"a":"\u009b"}'))).toEqual({ status_code: 200, response: { a: "\u009b" } });
});

test("other members follow the response", () => {
  expect(formatResponse({ status: 204, headers: {}, bytes: null }, { headers: { a: "b" }, duration_ms: 7 })).toBe(`{
  "status_code": 204,
  "response": null,
  "headers": {
    "a": "b"
  },
  "duration_ms": 7
}
`);
});

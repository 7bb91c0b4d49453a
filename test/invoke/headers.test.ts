import { expect, test } from "vitest";
import { chooseTokenHeader, parseHeaders, withToken } from "../../src/invoke/headers.ts";

test("a header is a name and a value, which can contain colons or be empty", () => {
  expect(parseHeaders(["Accept: text/html", "X-Time:12:30", "X-None:", "accept: */*"])).toEqual([
    ["Accept", "text/html"],
    ["X-Time", "12:30"],
    ["X-None", ""],
    ["accept", "*/*"],
  ]);
});

test.for([
  "no colon",
  ": no name",
  "with blank: x",
  "X-A: secret\r\nX-B: y",
  "X-A: secret\u0000",
  "Content-Length: 3",
  "transfer-encoding: chunked",
  "Connection: close",
  "X-Serverless-Authorization: Bearer secret",
])("%j is rejected and its value isn't quoted", (line) => {
  expect(() => parseHeaders([line])).toThrow(expect.objectContaining({ code: "USAGE", message: expect.not.stringContaining("secret") }));
});

test("the ID token goes into Authorization, unless the caller sets that or another header is requested", () => {
  expect(withToken([["Accept", "a"]], "T", chooseTokenHeader([["Accept", "a"]]))).toEqual([
    ["Authorization", "Bearer T"],
    ["Accept", "a"],
  ]);
  expect(chooseTokenHeader([["authorization", "Basic b"]])).toBe("X-Serverless-Authorization");
  expect(chooseTokenHeader([], "x-serverless-authorization")).toBe("X-Serverless-Authorization");
  expect(() => chooseTokenHeader([["authorization", "Basic secret"]], "authorization")).toThrow(expect.objectContaining({ code: "USAGE" }));
});

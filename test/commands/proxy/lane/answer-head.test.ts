import { expect, test } from "vitest";
import { ODD } from "../../../../src/http/wire/fields.ts";
import { readAnswerHead } from "../../../../src/commands/proxy/lane/answer-head.ts";

const ADDRESSES = { service: new URL("https://service.example"), own: "http://localhost:8080" };

test("an answer's head is rewritten for who called the proxy", () => {
  const fields =
    "Location: https://service.example/x\r\nSet-Cookie: a=1; Domain=service.example\r\nAlt-Svc: x\r\nKeep-Alive: timeout=5\r\n";
  const text = `HTTP/1.1 302 Found\r\nDate: now\r\nContent-Length: 4\r\nConnection: keep-alive\r\n${fields}\r\n`;
  expect(readAnswerHead(text, "GET", ADDRESSES)).toMatchObject({
    kept: "HTTP/1.1 302 Found\r\nDate: now\r\nContent-Length: 4\r\nLocation: http://localhost:8080/x\r\nSet-Cookie: a=1\r\n",
    isFromIap: false,
  });
});

test("a page of Identity-Aware Proxy is told by its header", () => {
  const text = "HTTP/1.1 302 Found\r\nX-Goog-IAP-Generated-Response: true\r\nContent-Length: 0\r\n\r\n";
  expect(readAnswerHead(text, "GET", ADDRESSES)).toMatchObject({ isFromIap: true });
});

test("a head that names further fields of the connection is odd", () => {
  const text = "HTTP/1.1 200 OK\r\nConnection: X-Mine\r\nX-Mine: 1\r\nContent-Length: 0\r\n\r\n";
  expect(readAnswerHead(text, "GET", ADDRESSES)).toBe(ODD);
});

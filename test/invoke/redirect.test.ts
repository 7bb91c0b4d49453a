import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { readRedirect } from "../../src/invoke/redirect.ts";

const url = new URL("https://hello.example.test/a/b?c");
const headers = [
  ["Accept", "*/*"],
  ["authorization", "Basic secret"],
  ["Cookie", "secret"],
  ["Host", "hello.example.test"],
  ["Content-Type", "text/plain"],
] as const;
const sent = { method: "POST", url, headers, body: Buffer.from("x") };
const to = (location: string, status = 307) => ({ status, headers: { location } });

test.for([
  ["/d", "https://hello.example.test/d"],
  ["d", "https://hello.example.test/a/d"],
  ["//other.test/", "https://other.test/"],
  ["https://other.test/?e", "https://other.test/?e"],
] as const)("Location %s leads to %s", ([location, target]) => {
  expect(readRedirect(sent, to(location))?.next?.url.href).toBe(target);
});

test("within the origin everything is sent again; to another origin, no secrets are sent", () => {
  expect(readRedirect(sent, to("/d"))?.next).toMatchObject({ method: "POST", headers, body: sent.body });
  for (const location of [
    "https://other.test/",
    "http://hello.example.test/",
    "https://hello.example.test:8443/",
    "https://x.hello.example.test/",
  ]) {
    expect(readRedirect(sent, to(location))?.next?.headers).toEqual([
      ["Accept", "*/*"],
      ["Content-Type", "text/plain"],
    ]);
  }
});

test.for([
  [301, "POST", "GET"],
  [302, "POST", "GET"],
  [303, "POST", "GET"],
  [303, "PUT", "GET"],
  [303, "HEAD", "HEAD"],
  [301, "PUT", "PUT"],
  [302, "HEAD", "HEAD"],
  [307, "POST", "POST"],
  [308, "DELETE", "DELETE"],
] as const)("after %i, %s becomes %s", ([status, method, then]) => {
  const next = readRedirect({ ...sent, method }, to("/d", status))?.next;
  const isKept = then === method;
  expect(next).toMatchObject({ method: then, body: isKept ? sent.body : undefined });
  expect(next?.headers.some(([name]) => name === "Content-Type")).toBe(isKept);
});

test.for([
  [{ status: 200, headers: { location: "/d" } }],
  [{ status: 304, headers: { location: "/d" } }],
  [{ status: 302, headers: {} }],
  [to("https://")],
  [to("file:///etc/passwd")],
] as const)("%j isn't followed", ([answer]) => {
  expect(readRedirect(sent, answer)?.next).toBeUndefined();
});

test("a body that has been read isn't sent again", () => {
  const streamed = { ...sent, body: Readable.from([Buffer.from("x")]) };
  expect(readRedirect(streamed, to("/d", 307))).toEqual({ fault: "the redirect needs the body again, which was a stream" });
  expect(readRedirect(streamed, to("/d", 303))?.next).toMatchObject({ method: "GET", body: undefined });
});

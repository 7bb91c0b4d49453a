import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { createHostCheck } from "../../../src/commands/proxy/check-host.ts";
import { call, proxyTo } from "../../helpers/proxy.ts";

const OPEN = { host: "127.0.0.1", port: 8080, machine: "laptop", origins: [] };

describe("by its Host header", () => {
  test.for([
    ["127.0.0.1:8080", true],
    ["localhost:8080", true],
    ["LocalHost:8080", true],
    ["[::1]:8080", true],
    ["localhost", false],
    ["localhost:8081", false],
    ["evil.example:8080", false],
    ["localhost.evil.example:8080", false],
    ["192.168.1.5:8080", false],
    ["", false],
    [undefined, false],
  ] as const)("a request for %o is accepted: %o", ([host, isIn]) => {
    expect(createHostCheck(OPEN)(host, {}, "GET")?.status).toBe(isIn ? undefined : 421);
  });

  test.for([
    ["192.168.1.5:8080", true],
    ["[fe80::1]:8080", true],
    ["laptop:8080", true],
    ["evil.example:8080", false],
    ["192.168.1.5", false],
  ] as const)("if the proxy listens on every address, a request for %o is accepted: %o", ([host, isIn]) => {
    expect(createHostCheck({ ...OPEN, host: "0.0.0.0" })(host, {}, "GET")?.status).toBe(isIn ? undefined : 421);
  });

  test("port 80 can be omitted, and the address that the proxy listens on is accepted", () => {
    const checkHost = createHostCheck({ ...OPEN, host: "10.0.0.1", port: 80 });
    expect(["localhost", "10.0.0.1", "10.0.0.1:80", "10.0.0.2"].map((host) => checkHost(host, {}, "GET")?.status)).toEqual([
      undefined,
      undefined,
      undefined,
      421,
    ]);
  });
});

describe("by what its browser says", () => {
  const from = (origin: string, site = "cross-site") => ({ origin, "sec-fetch-site": site });
  test.for([
    ["a page of another site", from("https://evil.example"), "POST", 403],
    ["an image in a page of another site", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }, "GET", 403],
    ["a form in a page of another site", { ...from("https://evil.example"), "sec-fetch-mode": "navigate" }, "POST", 403],
    ["a file that was opened", from("null"), "GET", 403],
    ["a link in a page of another site", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }, "GET", undefined],
    ["a page of its own", from("http://localhost:8080", "same-origin"), "POST", undefined],
    ["a page of this machine", from("http://localhost:3000", "same-site"), "POST", undefined],
    ["a page of this machine by another name", from("http://127.0.0.1:3000"), "DELETE", undefined],
    ["a page that was let", from("https://app.example"), "POST", undefined],
    ["an address that was typed", { "sec-fetch-site": "none" }, "GET", undefined],
    ["no browser", { origin: "https://evil.example" }, "POST", undefined],
  ] as const)("%s", ([, headers, method, status]) => {
    expect(createHostCheck({ ...OPEN, origins: ["https://app.example"] })("localhost:8080", headers, method)?.status).toBe(status);
  });

  test("a WebSocket of another site's page is refused by its Origin, which is all that browsers send", () => {
    const checkHost = createHostCheck(OPEN);
    expect(checkHost("localhost:8080", { origin: "https://evil.example" }, "GET", true)?.message).toContain(
      "--allow-origin https://evil.example",
    );
    expect(checkHost("localhost:8080", { origin: "http://localhost:8080" }, "GET", true)).toBeUndefined();
    expect(checkHost("localhost:8080", {}, "GET", true)).toBeUndefined();
  });
});

test("a refused request never reaches the service, and one with an accepted Origin does", async () => {
  const seen: (string | undefined)[] = [];
  const { url, port } = await proxyTo((request, response) => {
    seen.push(request.headers.origin);
    response.writeHead(403, { "Access-Control-Allow-Origin": "*" }).end("the service's own");
  });
  const refused = await call(url, { headers: { Host: `evil.example:${port}` } });
  expect([refused.status, refused.text]).toEqual([421, expect.stringContaining("unexpected Host header")]);
  expect(await call(url, { headers: { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" } })).toMatchObject({ status: 403 });
  expect(seen).toEqual([]);
  expect(await call(url, { headers: { Origin: "http://localhost:3000" } })).toMatchObject({ status: 403, text: "the service's own" });
  expect(seen).toEqual(["http://localhost:3000"]);
});

test.for([
  ["GET http://evil.example/ HTTP/1.1", "421"],
  ["GET http://127.0.0.1:PORT/whole HTTP/1.1", "200"],
  ["CONNECT evil.example:443 HTTP/1.1", "405"],
] as const)("%s is answered %s, because the target overrides the Host header", async ([line, status]) => {
  const { port } = await proxyTo((request, response) => response.end(request.url));
  const socket = connect(port, "127.0.0.1");
  socket.write(`${line.replace("PORT", String(port))}\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
  const answer = (await socket.toArray()).join("");
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  if (status === "200") expect(answer).toContain("/whole");
});

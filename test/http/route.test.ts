import { expect, test } from "vitest";
import { createRouter } from "../../src/http/route.ts";

test.for([
  ["*", "api.example.test", true],
  ["example.test", "api.example.test", true],
  [".example.test", "api.example.test", true],
  ["*.example.test", "api.example.test", true],
  ["other.test, API.example.test", "api.example.test", true],
  ["api.example.test:80", "api.example.test", true],
  ["api.example.test:8080", "api.example.test", false],
  ["ample.test", "api.example.test", false],
  ["192.0.2.0/24", "192.0.2.7", true],
  ["192.0.2.0/28", "192.0.2.77", false],
  ["2001:db8::/32", "[2001:db8::1]", true],
  ["", "api.example.test", false],
] as const)("NO_PROXY=%s, http://%s/: bypasses the proxy: %s", ([exceptions, host, isExcepted]) => {
  const way = createRouter({ HTTP_PROXY: "proxy.example.test:3128", NO_PROXY: exceptions })(new URL(`http://${host}/`));
  expect(way.proxy).toBe(isExcepted ? undefined : "proxy.example.test:3128");
});

test("requests to the metadata server and to this machine never use a proxy", () => {
  const route = createRouter({ HTTP_PROXY: "http://proxy.example.test", HTTPS_PROXY: "http://proxy.example.test" });
  for (const url of [
    "http://metadata.google.internal/",
    "http://169.254.169.254/",
    "http://127.0.0.1:1/",
    "http://[::1]:1/",
    "https://localhost/",
    "https://hello.localhost/",
  ]) {
    expect([url, route(new URL(url)).proxy]).toEqual([url, undefined]);
  }
  expect(route(new URL("https://run.googleapis.com/")).proxy).toBe("proxy.example.test");
});

test("the lower-case variable overrides the upper-case one, and an empty one is ignored", () => {
  expect(createRouter({ https_proxy: "http://a.test", HTTPS_PROXY: "http://b.test" })(new URL("https://c.test/")).proxy).toBe("a.test");
  expect(createRouter({ https_proxy: "", HTTPS_PROXY: "http://b.test" })(new URL("https://c.test/")).proxy).toBe("b.test");
  expect(createRouter({ HTTPS_PROXY: "" })(new URL("https://c.test/")).proxy).toBeUndefined();
});

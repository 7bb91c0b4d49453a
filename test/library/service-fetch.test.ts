import { once } from "node:events";
import type { IncomingMessage, RequestListener } from "node:http";
import { Readable } from "node:stream";
import { expect, test, vi } from "vitest";
import { serviceAccountCredentials } from "../../src/auth/credential-types/service-account.ts";
import { parseServiceAccountKey } from "../../src/auth/service-account-key.ts";
import { withCache } from "../../src/auth/token-cache.ts";
import { unauthorized } from "../../src/emulator/front-door/error-pages.ts";
import { CliError } from "../../src/errors/cli-error.ts";
import { diagnose } from "../../src/library/diagnose.ts";
import { openServiceFetch } from "../../src/library/service-fetch.ts";
import { createSend } from "../../src/http/client.ts";
import type { Send } from "../../src/http/request.ts";
import { serveService, verifiedClaims } from "../helpers/caller.ts";
import { openIdentity, serveIdentity } from "../helpers/identity.ts";
import { EMAIL, keyFields } from "../helpers/key-file.ts";

/** A `fetch` for a service, with tokens of the emulator's token endpoint; counts exchanges. */
async function openFetch(listener: RequestListener, { path = "" } = {}) {
  const { port } = await serveIdentity(await openIdentity({ live: true }));
  const env = { CLOUDRUN_OAUTH_EMULATOR: `http://127.0.0.1:${port}` };
  const straight = createSend({ env });
  let exchanges = 0;
  const send: Send = (request) => {
    if (request.url.endsWith("/token")) exchanges += 1;
    return straight(request);
  };
  const url = new URL(path, await serveService(listener));
  const credentials = serviceAccountCredentials(parseServiceAccountKey(keyFields(), "The key"), "a test", { send, env });
  const cached = withCache(credentials, { env }, { cache: false });
  const call = openServiceFetch({ send, findUrl: async () => url, credentials: async () => cached });
  return { call, url, origin: url.origin, exchanges: () => exchanges };
}

const bodyOf = async (request: IncomingMessage) => Buffer.concat(await request.toArray()).toString();

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** The request, from the response of `echo`. */
const seenBy = async (response: Response | Promise<Response>) => (await (await response).json()) as Seen;

/** Responds with the request. */
const echo: RequestListener = async (request, response) => {
  const { method, url, headers } = request;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ method, url, headers, body: await bodyOf(request) }));
};

test("a relative path goes to the service with an ID token for its origin", async () => {
  const { call, origin } = await openFetch(echo, { path: "/base/" });
  const response = await call("orders?open=1#top", { method: "post", body: new URLSearchParams({ a: "1" }) });
  const seen = await seenBy(response);
  expect(verifiedClaims(seen.headers["authorization"])).toMatchObject({ aud: origin, email: EMAIL });
  expect(seen).toMatchObject({
    method: "POST",
    url: "/base/orders?open=1",
    headers: { "content-type": "application/x-www-form-urlencoded;charset=UTF-8", "content-length": "3" },
    body: "a=1",
  });
  expect([response.ok, response.url, response.redirected]).toEqual([true, `${origin}/base/orders?open=1#top`, false]);
});

test.for([
  ["a URL", (origin: string) => [new URL("/x", origin)]],
  ["a Request", (origin: string) => [new Request(`${origin}/x`, { method: "PUT", body: "text", headers: { "x-own": "1" } })]],
  ["a Request that init changes", (origin: string) => [new Request(`${origin}/x`), { method: "PATCH", body: new Blob(["text"]) }]],
  ["a form", (origin: string) => [`${origin}/x`, { method: "POST", body: form({ name: "value" }) }]],
] as const)("%s is accepted as fetch accepts it", async ([, parameters]) => {
  const { call, origin } = await openFetch(echo);
  const [input, init] = parameters(origin) as Parameters<typeof fetch>;
  const seen = await seenBy(call(input, init));
  expect(verifiedClaims(seen.headers["authorization"])).toMatchObject({ email: EMAIL });
  expect(seen.url).toBe("/x");
  if (input instanceof Request) expect([seen.method, seen.body]).toEqual(init ? ["PATCH", "text"] : ["PUT", "text"]);
  if (init?.body instanceof FormData) expect(seen.body).toContain('name="name"\r\n\r\nvalue');
});

function form(fields: Readonly<Record<string, string>>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
}

test("the caller's own Authorization reaches the service, with the ID token in another header", async () => {
  const { call, origin } = await openFetch(echo);
  const headers = { Authorization: "Basic YTpi", "X-Serverless-Authorization": "Bearer forwarded", Host: "other.run.app" };
  const seen = (await seenBy(call("/", { headers }))).headers;
  expect(seen["authorization"]).toBe("Basic YTpi");
  expect(verifiedClaims(seen["x-serverless-authorization"])).toMatchObject({ aud: origin });
  expect(seen["host"]).toBe(new URL(origin).host);
});

test("fifty concurrent calls cause one exchange, and the next call none", async () => {
  const { call, exchanges } = await openFetch(echo);
  const answers = await Promise.all(Array.from({ length: 50 }, async () => (await call("/")).status));
  expect(new Set(answers)).toEqual(new Set([200]));
  await (await call("/")).text();
  expect(exchanges()).toBe(1);
});

test("another origin gets no token, called or redirected to, and neither does the service after a redirect back", async () => {
  const seen: IncomingMessage["headers"][] = [];
  const other = await serveService((request, response) => {
    seen.push(request.headers);
    if (request.url === "/back") response.writeHead(302, { location: `${origin}/end` });
    response.end();
  });
  const { call, origin } = await openFetch((request, response) => {
    seen.push(request.headers);
    if (request.url?.startsWith("/to")) response.writeHead(307, { location: `${other}/${request.url.slice(4)}` });
    response.end();
  });
  await call(`${other}/`);
  await call(`//${new URL(other).host}/`);
  expect(seen.splice(0).map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
  await call("/to/here", { headers: { authorization: "Basic YTpi", cookie: "a=b", "x-own": "1" } });
  expect(
    seen
      .splice(0)
      .map((headers) => [headers.authorization, headers["x-serverless-authorization"]?.slice(0, 9), headers.cookie, headers["x-own"]]),
  ).toEqual([
    ["Basic YTpi", "Bearer ey", "a=b", "1"],
    [undefined, undefined, undefined, "1"],
  ]);
  const response = await call("/to/back");
  expect([response.url, response.redirected]).toEqual([`${origin}/end`, true]);
  expect(seen.map(({ authorization }) => authorization?.slice(0, 9))).toEqual(["Bearer ey", undefined, undefined]);
});

test.for([
  [301, "POST", "GET", ""],
  [302, "PUT", "PUT", "text"],
  [303, "PUT", "GET", ""],
  [307, "POST", "POST", "text"],
  [308, "POST", "POST", "text"],
] as const)("a redirect with %s turns %s into %s, with the token on the same origin", async ([status, method, expected, body]) => {
  const { call } = await openFetch((request, response) => {
    if (request.url !== "/from") return echo(request, response);
    response.writeHead(status, { location: "to" }).end();
  });
  const seen = await seenBy(call("/from", { method, body: "text" }));
  expect(seen).toMatchObject({ method: expected, url: "/to", body });
  expect("content-type" in seen.headers).toBe(body !== "");
  expect(verifiedClaims(seen.headers["authorization"])).toMatchObject({ email: EMAIL });
});

test("redirects are followed up to fetch's limit, and not if the caller says so", async () => {
  const { call } = await openFetch(
    (request, response) => void response.writeHead(302, { location: request.url === "/file" ? "file:///etc/passwd" : "/on" }).end(),
  );
  const manual = await call("/", { redirect: "manual" });
  expect([manual.status, manual.headers.get("location")]).toEqual([302, "/on"]);
  await expect(call("/", { redirect: "error" })).rejects.toThrow(TypeError);
  await expect(call("/")).rejects.toThrow("more than 20 redirects");
  await expect(call("/file")).rejects.toThrow("isn't to an http or https URL");
});

test("a stream is sent as it arrives, and a redirect is followed only if it doesn't need the stream", async () => {
  const { call } = await openFetch((request, response) => {
    if (request.url === "/") return void request.pipe(response);
    response.writeHead(307, { location: "/" }).end();
  });
  const stream = () => Readable.toWeb(Readable.from(["one ", "two"].map((text) => Buffer.from(text)))) as ReadableStream<Uint8Array>;
  const streamed = { method: "POST", duplex: "half" } as const;
  expect(await (await call("/", { ...streamed, body: stream() })).text()).toBe("one two");
  await expect(call("/moved", { ...streamed, body: stream() })).rejects.toThrow("the redirect needs the body again");
});

test("a response is read at the caller's pace", async () => {
  const size = 256;
  let written = 0;
  const { call } = await openFetch(async (_, response) => {
    const megabyte = Buffer.alloc(1_048_576, 1);
    while (written < size && !response.destroyed) {
      if (!response.write(megabyte)) await once(response, "drain").catch(() => {});
      written += 1;
    }
    response.end();
  });
  const reader = (await call("/")).body!.getReader();
  await reader.read();
  // The rest is in the buffers of two kernels and some streams.
  let before = -1;
  await vi.waitFor(() => expect([before, (before = written)]).toEqual([written, written]), { timeout: 20_000, interval: 500 });
  expect(written).toBeLessThan(size / 4);
  await reader.cancel();
});

test("a signal ends a waiting call, one whose body is arriving, and one that hasn't started, with its own reason", async () => {
  const begun: AbortController[] = [];
  const { call } = await openFetch((request, response) => {
    if (request.url === "/body") response.write("begun");
    begun.at(-1)?.abort(new Error("enough"));
  });
  const start = () => begun[begun.push(new AbortController()) - 1]!;
  await expect(call("/", { signal: start().signal })).rejects.toThrow("enough");
  const controller = new AbortController();
  begun.push(new AbortController());
  const response = await call("/body", { signal: controller.signal });
  controller.abort();
  await expect(response.text()).rejects.toMatchObject({ name: "AbortError" });
  await expect(call("/", { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
});

test("canceling an idle body closes the connection", async () => {
  let isClosed = false;
  const { call } = await openFetch((_, response) => {
    response.write("event");
    response.on("close", () => (isClosed = true));
  });
  const reader = (await call("/")).body!.getReader();
  await reader.read();
  const pending = reader.read();
  await reader.cancel();
  expect((await pending).done).toBe(true);
  await vi.waitFor(() => expect(isClosed).toBe(true), 10_000);
});

test("statuses without a body have none, and cookies stay separate", async () => {
  const { call } = await openFetch(
    (_, response) => void response.writeHead(204, { "set-cookie": ["a=1; Expires=Mon, 1 Jan 2035", "b=2"] }).end(),
  );
  const response = await call("/");
  expect([response.status, response.statusText, response.body]).toEqual([204, "No Content", null]);
  expect(response.headers.getSetCookie()).toEqual(["a=1; Expires=Mon, 1 Jan 2035", "b=2"]);
  expect((await call("/", { method: "HEAD" })).body).toBeNull();
});

test("a cached token that the front end rejects is replaced once, and the call is repeated", async () => {
  const refuse = unauthorized("/");
  let refusals = 0;
  const bodies: string[] = [];
  const { call, exchanges } = await openFetch(async (request, response) => {
    bodies.push(await bodyOf(request));
    if (refusals-- <= 0) return void response.end("ok");
    response.writeHead(401, refuse.headers).end(refuse.body);
  });
  const post = () => call("/", { method: "POST", body: "text" });
  expect((await post()).status).toBe(200);
  refusals = 1;
  expect([await (await post()).text(), exchanges(), bodies]).toEqual(["ok", 2, ["text", "text", "text"]]);
  refusals = 2;
  const refused = await post();
  expect([refused.status, exchanges()]).toEqual([401, 3]);
  expect(await diagnose(refused)).toMatchObject({ code: "NOT_AUTHENTICATED" });
  expect(await refused.text()).toBe(refuse.body);
});

test("a service's own 401 is the response", async () => {
  let calls = 0;
  const { call, exchanges } = await openFetch((_, response) => {
    calls += 1;
    response.writeHead(401, { "content-type": calls === 3 ? "text/html" : "application/json" }).end("{}");
  });
  for (let count = 0; count < 3; count += 1) expect(await (await call("/")).text()).toBe("{}");
  expect([calls, exchanges()]).toEqual([3, 1]);
});

test("a token that can't be fetched and a missing service reject with a CliError", async () => {
  const { call, origin } = await openFetch(echo);
  await expect(call(origin.replace(/:\d+$/, ":1"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
  const none = new CliError("CREDENTIALS_MISSING", "None.");
  const credentials = () => Promise.reject(none);
  const failing = openServiceFetch({ send: createSend({ env: {} }), findUrl: async () => new URL(origin), credentials });
  await expect(failing("/")).rejects.toBe(none);
});

test("URLs other than http are left to the platform's fetch", async () => {
  const { call } = await openFetch(echo);
  expect(await (await call("data:text/plain,hello")).text()).toBe("hello");
});

test("a connection is reused by the next call", async () => {
  const ports = new Set<number | undefined>();
  const { call } = await openFetch((request, response) => {
    ports.add(request.socket.remotePort);
    response.end("ok");
  });
  for (let count = 0; count < 4; count += 1) expect(await (await call("/")).text()).toBe("ok");
  expect(ports.size).toBe(1);
});

import { createServer, type RequestListener } from "node:http";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { createSend } from "../../src/http/client.ts";
import type { Request } from "../../src/http/request.ts";
import { failure } from "../helpers/failure.ts";
import { listen } from "../helpers/listen.ts";

const RETRY = { times: 3, statuses: [429, 503] };

/** Fails this many times, and then answers 200 with the number of requests. */
async function failing(times: number, fail: RequestListener) {
  let requests = 0;
  const port = await listen(
    createServer((request, response) => {
      requests += 1;
      if (requests <= times) fail(request, response);
      else response.end(String(requests));
    }),
  );
  const notes: string[] = [];
  const send = createSend({ env: {}, note: (line) => notes.push(line) });
  const call = (request: Partial<Request>) => send({ method: "GET", url: `http://127.0.0.1:${port}/`, ...request });
  return { host: `127.0.0.1:${port}`, call, requests: () => requests, notes };
}

const unavailable: RequestListener = (_, response) => void response.writeHead(503).end("busy");
const reset: RequestListener = (request) => void request.socket.destroy();

test("a temporary status is retried if the request says so, and returned if it doesn't", async () => {
  const { call } = await failing(3, unavailable);
  expect((await call({})).status).toBe(503);
  expect(await (await call({ retry: RETRY })).text()).toBe("4");
});

test("the last attempt's response is returned, with its body", async () => {
  const { call, requests } = await failing(Infinity, unavailable);
  const answer = await call({ retry: RETRY });
  expect([answer.status, await answer.text(), requests()]).toEqual([503, "busy", 4]);
});

test.for([
  ["PUT", {}, 2],
  ["DELETE", {}, 2],
  ["OPTIONS", {}, 2],
  ["POST", {}, 1],
  ["PATCH", {}, 1],
  ["POST", { evenIfNotIdempotent: true }, 2],
  ["GET", { times: 0 }, 1],
] as const)("%s with %j is sent %i times", async ([method, retry, times]) => {
  for (const fail of [unavailable, reset]) {
    const { call, requests } = await failing(1, fail);
    await call({ method, body: "x", retry: { ...RETRY, ...retry } }).catch(() => {});
    expect(requests()).toBe(times);
  }
});

test("a stream body is sent once", async () => {
  const { call, requests } = await failing(1, unavailable);
  expect(
    (await call({ method: "PUT", body: Readable.from([Buffer.from("x")]), retry: { ...RETRY, evenIfNotIdempotent: true } })).status,
  ).toBe(503);
  expect(requests()).toBe(1);
});

test.for([["1"], [new Date(Date.UTC(2031, 0, 1, 0, 0, 1)).toUTCString()]])(
  "Retry-After %s is kept to, by the server's clock, and said",
  async ([after]) => {
    const { host, call, notes } = await failing(1, (_, response) => {
      response.writeHead(429, { "Retry-After": after, Date: new Date(Date.UTC(2031, 0, 1)).toUTCString() }).end();
    });
    expect((await call({ retry: RETRY })).status).toBe(200);
    expect(notes).toEqual([`${host}: 429; retrying in 1 s`]);
  },
);

test("a Retry-After of more than a minute isn't waited for", async () => {
  const { call, requests } = await failing(1, (_, response) => void response.writeHead(429, { "Retry-After": "61" }).end());
  expect([(await call({ retry: RETRY })).status, requests()]).toEqual([429, 1]);
});

test("nothing is sent again once the body has begun", async () => {
  const { host, call, requests } = await failing(1, (request, response) => {
    response.writeHead(200, { "Content-Length": 100 });
    response.write("half", () => request.socket.destroy());
  });
  const answer = await call({ retry: RETRY });
  expect(await failure(answer.text())).toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining(host) });
  expect(requests()).toBe(1);
});

test.for(["/never", "/half", "/later"])("the request's own signal ends it: %s", async (path) => {
  const { host, call } = await failing(Infinity, (request, response) => {
    if (request.url === "/half") response.write("half");
    if (request.url === "/later") response.writeHead(503, { "Retry-After": "30" }).end();
  });
  const work = async () => (await call({ url: `http://${host}${path}`, retry: RETRY, signal: AbortSignal.timeout(100) })).text();
  expect(await failure(work())).toMatchObject({ code: "TIMEOUT", message: `${host} took too long to respond.` });
});

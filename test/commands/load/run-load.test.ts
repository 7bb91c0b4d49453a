import { createServer, type Server } from "node:http";
import { createServer as createTcpServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import type { Call } from "../../../src/invoke/request.ts";
import { createConnect } from "../../../src/commands/load/connect.ts";
import { openRequestSource } from "../../../src/commands/load/request-source.ts";
import { runLoad, type LoadOptions } from "../../../src/commands/load/run-load.ts";
import { createRouter } from "../../../src/http/route.ts";
import { listen } from "../../helpers/listen.ts";

const REFUSAL = { "www-authenticate": 'Bearer error="invalid_token" error_description="The access token could not be verified"' };

/** Loads a server; its credentials return a new token each time. */
async function load(server: Server | ReturnType<typeof createTcpServer>, options: Partial<LoadOptions> = {}, call: Partial<Call> = {}) {
  const url = new URL(`http://127.0.0.1:${await listen(server as Server)}/orders?id=1`);
  const route = createRouter({})(url);
  const signal = options.signal ?? new AbortController().signal;
  let tokens = 0;
  let held: string | undefined;
  const credentials = {
    fetchIdToken: async () => (held ??= `${Buffer.from("{}").toString("base64url")}.${claims()}.${(tokens += 1)}`),
    accepted: () => {},
    rejected: () => ((held = undefined), true),
  };
  const request = {
    method: "GET",
    url,
    audience: url.origin,
    headers: [],
    tokenHeader: "Authorization",
    body: undefined,
    ...call,
  } as const;
  const source = openRequestSource(request as Parameters<typeof openRequestSource>[0], route, credentials);
  try {
    const outcome = await runLoad({
      connect: createConnect(route, signal),
      source,
      method: request.method,
      concurrency: 4,
      maxRequests: 40,
      maxDurationMs: Infinity,
      rate: undefined,
      requestTimeoutMs: 30_000,
      instanceHeader: undefined,
      signal,
      explain: ({ message }) => message,
      onProgress: () => {},
      ...options,
    });
    const { statuses, errors } = outcome.stats;
    return { ...outcome, statuses: Object.fromEntries(statuses), errors: Object.fromEntries(errors), tokens: source.tokens() };
  } finally {
    source.close();
  }
}

function claims(): string {
  return Buffer.from(JSON.stringify({ exp: Math.floor(Date.now() / 1000) + 3600 })).toString("base64url");
}

test("each connection takes one request after another, and what is sent is what was said", async () => {
  const seen = new Set<string>();
  const connections = new Set<Socket>();
  const server = createServer(async (request, response) => {
    connections.add(request.socket);
    const body = (await request.toArray()).join("");
    const { method, url, headers } = request;
    const isOwnHost = headers.host === `127.0.0.1:${request.socket.localPort}`;
    seen.add(JSON.stringify([method, url, isOwnHost, headers["x-own"], headers["content-length"], body]));
    response.end("fine");
  });
  const { sent, statuses, tokens, durationMs, bytesReceived } = await load(
    server,
    {},
    { method: "POST", headers: [["X-Own", "grün"]], body: Buffer.from("ä") },
  );
  expect([sent, statuses, tokens, connections.size]).toEqual([40, { 200: 40 }, 1, 4]);
  expect([...seen]).toEqual([JSON.stringify(["POST", "/orders?id=1", true, Buffer.from("grün").toString("latin1"), "2", "ä"])]);
  expect([durationMs > 0, bytesReceived > 40 * "HTTP/1.1 200 OK".length]).toEqual([true, true]);
});

test("a token that expires during the run is renewed, and no request is lost", async () => {
  let answered = 0;
  const server = createServer((request, response) => {
    const isFirst = request.headers.authorization?.endsWith(".1") === true;
    if (isFirst && answered >= 10) response.writeHead(401, REFUSAL).end();
    else response.end(String((answered += 1)));
  });
  const { statuses, errors, tokens, sent } = await load(server);
  expect([statuses, errors, tokens, sent]).toEqual([{ 200: 40 }, {}, 2, 40]);
});

test("a 401 of the service itself counts as a response, and so does the front end's if a new token doesn't help", async () => {
  const own = await load(createServer((_, response) => response.writeHead(401).end("who are you?")));
  expect([own.statuses, own.tokens]).toEqual([{ 401: 40 }, 1]);
  const front = await load(createServer((_, response) => response.writeHead(401, REFUSAL).end()));
  expect([front.statuses, front.tokens]).toEqual([{ 401: 40 }, 2]);
});

test("a server that closes connections between responses costs no request", async () => {
  let count = 0;
  const server = createServer((request, response) => {
    count += 1;
    if (count % 5 === 0) response.setHeader("connection", "close");
    response.end("x");
    // Without notice: the next request meets a closed connection.
    if (count % 7 === 0) setImmediate(() => request.socket.destroy());
  });
  const { statuses, sent, errors } = await load(server);
  expect([statuses[200], sent, errors]).toEqual([40, 40, {}]);
});

test("requests without a response are counted by error, and the others go on", async () => {
  let count = 0;
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => {
      count += 1;
      // The third is never answered, and the fourth twice.
      if (count === 1) socket.destroy();
      else if (count === 2) socket.write("what?\r\n\r\n");
      else if (count === 4) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      else if (count > 4) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
  });
  const { statuses, errors, sent } = await load(server, { requestTimeoutMs: 300, maxRequests: 20 });
  expect([sent, statuses]).toEqual([20, { 200: 16 }]);
  expect(Object.entries(errors).map(([code, { count: number }]) => [code, number])).toEqual(
    expect.arrayContaining([
      ["ECONNRESET", 1],
      ["NOT_HTTP", 2],
      ["TIMEOUT", 1],
    ]),
  );
});

test("at a rate that the connections can't keep up with, waiting is latency, and unsent requests are counted", async () => {
  const server = createServer((_, response) => void setTimeout(() => response.end(), 50));
  const { stats, sent, unsent } = await load(server, { concurrency: 1, maxRequests: Infinity, maxDurationMs: 600, rate: 100 });
  expect(sent + unsent).toBe(60);
  expect(unsent).toBeGreaterThan(20);
  // The last request was due long before the connection was free; each took about 50 ms after it was sent.
  expect(stats.latencies.max).toBeGreaterThan(300);
});

test("the signal stops the run, and requests in progress don't count as failures", async () => {
  const end = new AbortController();
  let count = 0;
  const server = createServer((_, response) => {
    count += 1;
    if (count <= 10) response.end();
    if (count === 12) end.abort();
  });
  const { sent, statuses, errors, abandoned } = await load(server, { signal: end.signal, maxRequests: Infinity, concurrency: 2 });
  expect([sent, statuses, errors, abandoned]).toEqual([12, { 200: 10 }, {}, 2]);
});

test("the first response of each instance is recognized by a header", async () => {
  let count = 0;
  const server = createServer((_, response) => response.setHeader("X-Instance", `i${(count += 1) % 3}`).end());
  const { stats } = await load(server, { instanceHeader: "x-instance" });
  expect([stats.firsts.count, stats.latencies.count]).toEqual([3, 40]);
});

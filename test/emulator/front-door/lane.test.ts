import * as fc from "fast-check";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { expect, onTestFinished, test, vi } from "vitest";
import type { LogEntry } from "../../../src/emulator/logging/entry.ts";
import type { LogStore } from "../../../src/emulator/logging/log-store.ts";
import { issueIdToken } from "../../../src/emulator/oauth2/id-tokens.ts";
import { openSigningKeys } from "../../../src/emulator/oauth2/signing-keys.ts";
import { setPolicy } from "../../../src/emulator/iam/policy.ts";
import { createServiceAccount } from "../../../src/emulator/iam/service-accounts.ts";
import { PROJECT } from "../../helpers/api-server.ts";
import { openFrontDoor } from "../../helpers/front-door.ts";

/** Answers with what it sees, or, byte for byte, with what the query holds; then it closes the connection where the path says so. */
const SERVICE = `
const { createServer } = require("node:net");
createServer((socket) => {
  let seen = "";
  socket.on("error", () => {});
  socket.on("data", (bytes) => {
    seen += bytes.toString("latin1");
    const end = seen.indexOf("\\r\\n\\r\\n");
    if (end < 0) return;
    const length = Number(/^content-length: (\\d+)/im.exec(seen.slice(0, end))?.[1] ?? 0);
    const isChunked = /^transfer-encoding: chunked/im.test(seen.slice(0, end));
    if (isChunked ? !seen.endsWith("0\\r\\n\\r\\n") : seen.length < end + 4 + length) return;
    const request = seen;
    seen = "";
    const [, path, query] = /^\\S+ ([^ ?]*)\\??(\\S*)/.exec(request);
    const said = Buffer.from(query, "base64url").toString("latin1");
    // A span in decimal is as long as it is.
    const text = JSON.stringify({ request: request.replace(/\\/\\d+;o=/, "/SPAN;o=") });
    const own = "HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: " + text.length + "\\r\\n\\r\\n" + text;
    const large = "HTTP/1.1 200 OK\\r\\nX: " + "x".repeat(20_000) + "\\r\\nContent-Length: 2\\r\\n\\r\\nok";
    socket.write(path === "/large" ? large : said || own, "latin1");
    if (path.startsWith("/close")) socket.end();
    if (path.startsWith("/reset")) setTimeout(() => socket.resetAndDestroy(), 50);
  });
}).listen(process.env.PORT);
`;

/** Sends bytes and gives all that comes back until the other end closes. */
async function exchange(socket: Duplex, bytes: string): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => {});
  socket.write(bytes, "latin1");
  if (!socket.destroyed) await once(socket, "close");
  return Buffer.concat(chunks).toString("latin1");
}

/** What is another one each time. */
function masked(text: string): string {
  return text
    .replaceAll(/^Date: .*$/gm, "Date: now")
    .replaceAll(/\b[0-9a-f]{32}\b/g, "TRACE")
    .replaceAll(/TRACE\/(?:\d+|SPAN)/g, "TRACE/SPAN")
    .replaceAll(/TRACE-[0-9a-f]{16}/g, "TRACE-SPAN");
}

/** An answer with its body out of its chunks, which are cut as the pieces come. */
function understood(text: string): string {
  const end = text.indexOf("\r\n\r\n") + 4;
  if (!/^transfer-encoding: chunked$/im.test(text.slice(0, end))) return masked(text);
  let rest = text.slice(end);
  let body = "";
  for (let size = Number.parseInt(rest, 16); size > 0; size = Number.parseInt(rest, 16)) {
    const begin = rest.indexOf("\r\n") + 2;
    body += rest.slice(begin, begin + size);
    rest = rest.slice(begin + size + 2);
  }
  return masked(text.slice(0, end)) + body + rest;
}

/** The requests that were logged. */
async function logged(logs: LogStore): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const entry of logs.read()) if (entry.logName.endsWith("requests")) entries.push(entry);
  return entries;
}

/** An entry without what is another one each time, and by how much the size of the answer differs from the one that came. */
function comparable({ httpRequest, textPayload, severity, resource, labels }: LogEntry, answer = "") {
  const { latency, responseSize, ...request } = httpRequest as Record<string, unknown>;
  const hasLatency = /^\d+\.\d{9}s$/.test(String(latency));
  return { request, more: Number(responseSize) - answer.length, hasLatency, textPayload, severity, resource, labels };
}

async function openBothWays(isPublic = true) {
  const door = await openFrontDoor({ script: SERVICE, isPublic, spec: { timeoutSeconds: 1 } });
  const { port, portByNode, host, logs } = door;
  const send = async (way: number, bytes: string) => exchange(connect(way, "127.0.0.1"), bytes);
  let readByNode = 0;
  const count = (): void => void (readByNode += 1);
  subscribe("http.server.request.start", count);
  onTestFinished(() => void unsubscribe("http.server.request.start", count));
  let before = 0;
  /** What comes of a request by the lane and by node:http, and how many of the two node:http has read. */
  const ask = async (request: string) => {
    const text = request.replace("HOST", host);
    const begun = readByNode;
    const answers = [await send(port, text), await send(portByNode, text)];
    const entries = await vi.waitFor(async () => {
      const all = await logged(logs);
      expect(all.length - before).not.toBe(1);
      return all;
    });
    const [one, other] = entries.slice(before).map((entry, index) => comparable(entry, answers[index]));
    before = entries.length;
    const [lane, node] = [one, other].map((log, index) => ({ request, answer: understood(answers[index] ?? ""), log }));
    return { lane, node, readByNode: readByNode - begun };
  };
  return { ...door, ask };
}

function asking(answer: string, { method = "GET", path = "/", fields = "", body = "" } = {}): string {
  const query = Buffer.from(answer, "latin1").toString("base64url");
  const length = body === "" ? "" : `Content-Length: ${body.length}\r\n`;
  return `${method} ${path}${query === "" ? "" : `?${query}`} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n${fields}${length}\r\n${body}`;
}

const FIELDS = [
  "User-Agent: curl/8\r\nuser-agent: other\r\nReferer: http://a/\r\nAccept: */*\r\n",
  "Cookie: a=1\r\ncookie: b=2\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2\r\nForwarded: for=x\r\n",
  "traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01\r\n",
  "X-Cloud-Trace-Context: 0123456789abcdef0123456789abcdef/1;o=0\r\n",
  "TE: trailers\r\nKeep-Alive: timeout=1\r\nProxy-Authorization: Basic x\r\nX-Empty:\r\nX-Latin: gr\xfcn \t\r\n",
];

test("an instance sees the same request, whichever way it came", async () => {
  const { ask } = await openBothWays();
  const requests = [
    ...FIELDS.map((fields) => asking("", { fields })),
    ...["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].flatMap((method) => [
      asking("", { method, path: "/a%20b/'\"" }),
      asking("", { method, body: "b\r\n\xf6" }),
    ]),
    "POST / HTTP/1.1\r\nHost: HOST:443\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: nothing-abcdefghij-uc.a.run.app\r\nConnection: close\r\n\r\n",
  ];
  for (const request of requests) {
    const { lane, node, readByNode } = await ask(request);
    expect(lane).toEqual(node);
    expect(readByNode).toBe(1);
  }
});

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";

test("an answer reaches the caller the same, whichever way its request came", async () => {
  const { ask } = await openBothWays();
  const answers = [
    ["/", `${CHUNKED}\r\n5;x=y\r\nab\r\nc\r\n1\r\nd\r\n0\r\n\r\n`],
    ["/", `${CHUNKED}Trailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum:  6 \r\nx-other: 1\r\nX-SUM: 7\r\n\r\n`],
    ["/", "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 2\r\n\r\nok"],
    ["/close", "HTTP/1.1 200 OK\r\nX: y\r\n\r\nuntil the end"],
    ["/close", "HTTP/1.1 201 Made\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"],
    ["/close", `${CHUNKED}Connection: close\r\n\r\n2\r\nok\r\n0\r\n\r\n`],
    ["/close", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"],
    ["/", "HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nX: 1\r\nSet-Cookie: b=2\r\nx: 2\r\nContent-Length: 0\r\n\r\n"],
    ["/", "HTTP/1.1 200 OK\r\nX: 1\r\nDate: then\r\nServer: mine\r\nKeep-Alive: timeout=9\r\nAlt-Svc: x\r\nContent-Length: 0\r\n\r\n"],
    ["/", "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n"],
    ["/", "HTTP/1.1 304 Not Modified\r\nContent-Length: 40\r\nETag: x\r\n\r\n"],
    ["/", "HTTP/1.1 499 Whatever this is\r\nContent-Length: 2\r\n\r\nno"],
    ["/", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"],
    ["/", "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nno"],
    ["/", `HTTP/1.1 200 OK\r\nContent-Length: ${32 * 1024 * 1024 + 1}\r\n\r\n`],
    ["/close", "HTTP/1.1 200 OK\r\nContent-Len"],
    ["/reset", "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf"],
    ["/reset", `${CHUNKED}\r\n5\r\nab`],
    ["/close", `${CHUNKED}\r\n2\r\nok\r\nx\r\n`],
  ] as const;
  const late = ["HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf", "HTTP/1.1 103 Early Hints\r\n\r\n"];
  const requests = answers.flatMap(([path, answer]) =>
    ["GET", "HEAD", "POST"].map((method) => asking(answer, { path, method, body: method === "POST" ? "x" : "" })),
  );
  for (const request of [...requests, ...late.map((answer) => asking(answer, { path: "/late" }))]) {
    const { lane, node, readByNode } = await ask(request);
    expect(lane).toEqual(node);
    expect(readByNode).toBe(1);
  }
});

test.for([
  ["what is no HTTP", "/close", "SSH-2.0-OpenSSH_9\r\n\r\n"],
  ["two lengths", "/close", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"],
  ["bare line ends", "/close", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"],
  ["another protocol", "/close", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"],
  ["a head that is too large", "/large", ""],
] as const)("an answer with %s is for node:http to judge, and the service is left to it from then on", async ([, path, answer]) => {
  const { ask } = await openBothWays();
  // What may not be sent again is answered as Cloud Run answers what is malformed.
  const first = await ask(asking(answer, { path, method: "POST", body: "x" }));
  expect([first.readByNode, first.lane?.answer]).toEqual([1, expect.stringMatching(/^HTTP\/1\.1 503 /)]);
  for (const request of [asking(answer, { path }), asking("")]) {
    const { lane, node, readByNode } = await ask(request);
    expect(lane).toEqual(node);
    expect(readByNode).toBe(2);
  }
});

const token = fc.stringMatching(/^[A-Za-z!#$%&'*+.^_`|~-]{1,12}$/).map((name) => `X-${name}`);
const value = fc.stringMatching(/^(?:[\x21-\x7e\xa1-\xff](?:[\t\x20-\x7e\xa1-\xff]{0,20}[\x21-\x7e\xa1-\xff])?)?$/);
const fields = fc.array(fc.tuple(token, value), { maxLength: 6 }).map((all) => all.map((pair) => `${pair.join(": ")}\r\n`).join(""));

test("whatever a request and an answer hold, they are the same both ways", async () => {
  const { ask } = await openBothWays();
  const exchanges = fc.record({
    method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
    path: fc.stringMatching(/^\/[A-Za-z0-9%.~/_-]{0,20}$/),
    fields,
    body: fc.string({ unit: fc.constantFrom("a", "\r", "\n", "0"), maxLength: 40 }),
    answered: fields,
    status: fc.integer({ min: 200, max: 599 }),
    text: fc.string({ unit: fc.constantFrom("b", "\r\n", "0\r\n\r\n", "5"), maxLength: 20 }),
    isChunked: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(exchanges, async ({ answered, status, text, isChunked, ...request }) => {
      const hasBody = text !== "" && request.method !== "HEAD" && status !== 204 && status !== 304;
      const chunk = hasBody ? `${text.length.toString(16)}\r\n${text}\r\n` : "";
      const framed = isChunked
        ? `Transfer-Encoding: chunked\r\n\r\n${chunk}`
        : `Content-Length: ${text.length}\r\n\r\n${hasBody ? text : ""}`;
      const end = isChunked && request.method !== "HEAD" && status !== 204 && status !== 304 ? "0\r\n\r\n" : "";
      const { lane, node, readByNode } = await ask(asking(`HTTP/1.1 ${status} X\r\n${answered}${framed}${end}`, request));
      expect(lane).toEqual(node);
      expect(readByNode).toBe(1);
    }),
    { numRuns: 40 },
  );
});

test("a caller is refused the same both ways, and let in by its token", async () => {
  const { ask, state, host } = await openBothWays(false);
  const keys = openSigningKeys(state.directory);
  const account = createServiceAccount(state, { projectId: PROJECT, accountId: "caller" });
  const options = { audience: `https://${host}`, includeEmail: true, azp: account.email };
  const good = `Authorization: Bearer ${await issueIdToken({ signingKeys: keys, now: Date.now }, account, options)}\r\n`;
  const refused = ["", "Authorization: Bearer x\r\n", "Authorization: Basic x\r\n", good, `${good}${good}`, `X-Serverless-${good}`];
  for (const fields of refused) {
    for (const method of ["GET", "HEAD", "POST"]) {
      const { lane, node, readByNode } = await ask(asking("", { fields, method, body: method === "POST" ? "x" : "" }));
      expect(lane).toEqual(node);
      expect([lane?.answer, readByNode]).toEqual([expect.stringMatching(/^HTTP\/1\.1 40[13] /), 1]);
    }
  }
  setPolicy(state, `projects/${PROJECT}/locations/us-central1/services/hello`, {
    bindings: [{ role: "roles/run.invoker", members: [`serviceAccount:${account.email}`] }],
  });
  for (const fields of [good, `X-Serverless-${good}authorization: own\r\n`]) {
    const { lane, node, readByNode } = await ask(asking("", { fields }));
    expect(lane).toEqual(node);
    expect([lane?.answer, readByNode]).toEqual([expect.stringContaining("SIGNATURE_REMOVED_BY_GOOGLE"), 1]);
  }
});

test("a connection goes on for as many requests as the caller has, and another's answer is none of them", async () => {
  const { port, host } = await openBothWays();
  const one = (path: string, end = "") => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${end}\r\n`;
  const forged = Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmineHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged").toString(
    "base64url",
  );
  const requests = [one("/1"), one(`/2?${forged}`), one("/3"), one(`/4?${forged}`), one("/5", "Connection: close\r\n")];
  const answered = await exchange(connect(port, "127.0.0.1"), requests.join(""));
  expect([...answered.matchAll(/GET (\/\d)|(mine|forged)/g)].map(([, path, body]) => path ?? body)).toEqual([
    "/1",
    "mine",
    "/3",
    "mine",
    "/5",
  ]);
});

test("a call in TLS is answered as one without, and a connection may begin with what is not common", async () => {
  const { tunnel, host, ask } = await openBothWays();
  const { lane } = await ask(asking(""));
  const secure = await exchange(await tunnel()("http/1.1"), asking("").replace("HOST", host));
  expect(understood(secure)).toBe(lane?.answer);
  const chunked = "POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
  const both = await exchange(await tunnel()("http/1.1"), (chunked + asking("")).replaceAll("HOST", host));
  expect(both.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
});

test("half of a head is malformed both ways", async () => {
  const { port, portByNode, host } = await openBothWays();
  for (const way of [port, portByNode]) {
    const socket = connect({ port: way, host: "127.0.0.1", allowHalfOpen: true });
    const answered = exchange(socket, `GET / HTTP/1.1\r\nHost: ${host}\r\nX-Ha`);
    socket.end();
    expect(await answered).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  }
});

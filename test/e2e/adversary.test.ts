import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { promisify } from "node:util";
import { afterAll, afterEach, expect, onTestFinished, test } from "vitest";
import { exchangeBytes, expectUnharmed, startEmulator, tinyService } from "../helpers/emulator.ts";
import { freePort } from "../helpers/process-engine.ts";

const emulator = await startEmulator(afterAll);
const { port, project, token, directory, request } = emulator;
const BUCKET = "adversary";
await request("POST", "storage.googleapis.com", `/storage/v1/b?project=${project}`, { body: { name: BUCKET } });

afterEach(() => expectUnharmed(emulator));

const HEADERS_OF_10_MB = `X-Filler: ${"a".repeat(10 * 1024 * 1024)}\r\n`;
const TOO_LARGE = /^HTTP\/1\.1 431 Request Header Fields Too Large\r\n[^]*The request's headers are larger than 65536 bytes\.\n$/;

test("10 MB of headers are answered 431, for Google's hosts and the emulator's own address", async () => {
  for (const host of ["storage.googleapis.com", "127.0.0.1"]) {
    const answer = await exchangeBytes(port, `GET / HTTP/1.1\r\nHost: ${host}\r\n${HEADERS_OF_10_MB}\r\n`);
    expect(answer).toMatch(TOO_LARGE);
  }
});

test("10 MB of headers in a tunnel are answered 431", async () => {
  const socket = await openTunnel("storage.googleapis.com");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => undefined);
  socket.write(`GET / HTTP/1.1\r\nHost: storage.googleapis.com\r\n${HEADERS_OF_10_MB}\r\n`);
  await Promise.race([once(socket, "end"), once(socket, "close")]);
  expect(Buffer.concat(chunks).toString()).toMatch(TOO_LARGE);
});

async function openTunnel(host: string) {
  const plain = connect(port, "127.0.0.1");
  plain.write(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`);
  expect(String((await once(plain, "data"))[0])).toBe("HTTP/1.1 200 Connection Established\r\n\r\n");
  const socket = connectTls({ socket: plain, servername: host, ca: readFileSync(join(directory, "ca-bundle.pem")) });
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  return socket;
}

test.for([
  ["of letters", "a".repeat(1024 * 1024)],
  ["of three segments", Array.from({ length: 3 }, () => Buffer.alloc(256 * 1024, "{").toString("base64url")).join(".")],
  ["of dots", ".".repeat(1024 * 1024)],
])("a malformed JWT of 1 MB %s is refused by the token endpoint and as a credential", async ([, jwt = ""]) => {
  const body = `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=${jwt}`;
  const answer = await request("POST", "oauth2.googleapis.com", "/token", { token: "", body });
  expect([answer.status, answer.json]).toEqual([400, { error: "invalid_request", error_description: "Bad Request" }]);
  expect((await request("GET", "storage.googleapis.com", `/storage/v1/b/${BUCKET}`, { token: jwt })).status).toBe(431);
  const short = await request("GET", "storage.googleapis.com", `/storage/v1/b/${BUCKET}`, { token: jwt.slice(0, 50_000) });
  expect([short.status, short.json["error"].status]).toEqual([401, "UNAUTHENTICATED"]);
});

test("an upload that is cut off leaves no object and no file, multipart or resumable", async () => {
  const head = '--b\r\nContent-Type: application/json\r\n\r\n{"name":"half"}\r\n--b\r\nContent-Type: text/plain\r\n\r\n';
  const upload = `/upload/storage/v1/b/${BUCKET}/o?uploadType`;
  await cutOff("POST", `${upload}=multipart`, { "content-type": "multipart/related; boundary=b" }, head);

  const { headers } = await request("POST", "storage.googleapis.com", `${upload}=resumable&name=half`, {});
  const session = (headers.location ?? "").replace("https://storage.googleapis.com", "");
  await cutOff("PUT", session, { "content-range": "bytes 0-999999/1000000" }, "");
  await expect
    .poll(async () => (await request("PUT", "storage.googleapis.com", session, { headers: { "content-range": "bytes */1000000" } })).status)
    .toBe(308);
  expect((await request("DELETE", "storage.googleapis.com", session)).status).toBe(499);

  expect((await request("GET", "storage.googleapis.com", `/storage/v1/b/${BUCKET}/o/half`)).status).toBe(404);
  await expect.poll(() => readdirSync(join(directory, "objects"))).toEqual([]);
});

/** Announces 1 MB, sends a third of it, and disconnects. */
async function cutOff(method: string, path: string, headers: Readonly<Record<string, string>>, head: string): Promise<void> {
  const all = { host: "storage.googleapis.com", authorization: `Bearer ${token}`, "content-length": "1000000", ...headers };
  const sent = httpRequest({ host: "127.0.0.1", port, method, path, headers: all, agent: false });
  const gone = once(sent, "error");
  sent.write(head);
  sent.write(Buffer.alloc(300_000), () => setTimeout(() => sent.destroy(new Error("gone")), 50));
  await gone;
}

test("a body that is too large for JSON is refused with a message", async () => {
  const body = `{"name": "${"a".repeat(33 * 1024 * 1024)}"}`;
  const answer = await request("POST", "storage.googleapis.com", `/storage/v1/b?project=${project}`, { body });
  expect([answer.status, answer.json["error"].message]).toEqual([400, "Request payload size exceeds the limit: 33554432 bytes."]);
});

/** Posts 20 MB repeatedly, each time on a new connection, and prints the number of responses by status. */
const POST_MUCH = `
const { request } = require("node:http");
const [port, host, path] = process.argv.slice(1);
const post = () =>
  new Promise((resolve) => {
    const sent = request({ host: "127.0.0.1", port, method: "POST", path, headers: { host }, agent: false }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode)).on("error", ({ code }) => resolve(code));
    });
    sent.on("error", ({ code }) => resolve(code)).end(Buffer.alloc(20 * 1024 * 1024));
  });
(async () => {
  const found = {};
  for (let time = 0; time < 12; time += 1) {
    const status = await post();
    found[status] = (found[status] ?? 0) + 1;
  }
  console.log(JSON.stringify(found));
})();
`;

test.for([
  ["storage.googleapis.com", `/upload/storage/v1/b/${BUCKET}/o?uploadType=media&name=x`, 401],
  ["127.0.0.1", "/nothing", 404],
  ["nothing-abc-uc.a.run.app", "/", 404],
] as const)("a client that %s refuses while it still sends can read the response", async ([host, path, status]) => {
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", POST_MUCH, String(port), host, path]);
  expect(JSON.parse(stdout)).toEqual({ [status]: 12 });
});

test("clients that send very slowly don't block others", async () => {
  const slow = Array.from({ length: 200 }, () => connect(port, "127.0.0.1"));
  onTestFinished(() => slow.forEach((socket) => socket.destroy()));
  for (const socket of slow) socket.on("error", () => undefined).write("GET / HTTP/1.1\r\nHost: storage.google");
  await Promise.all(Array.from({ length: 20 }, () => request("GET", "storage.googleapis.com", `/storage/v1/b/${BUCKET}`)));
  expect(slow.filter(({ destroyed }) => destroyed)).toEqual([]);
});

test("garbage on the port is answered with 400 or a closed connection", async () => {
  const garbage = [
    randomBytes(100_000),
    Buffer.alloc(1000),
    Buffer.from([22, 3, 1, 2, 0, 1, 0, 1]),
    "GET / HTTP/9.9\r\n\r\n",
    "\r\n\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
  ];
  for (const each of garbage) expect(await exchangeBytes(port, each)).toMatch(/^(HTTP\/1\.1 400 Bad Request\r\n[^]*)?$/);
  expect(await exchangeBytes(port, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n")).toMatch(/^HTTP\/1\.1 4/);
  expect(await exchangeBytes(port, "GET // HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1\.1 40[04]/);
});

test.for([
  "127.0.0.1:99999",
  "127.0.0.1:0",
  "127.0.0.1:1",
  ":::",
  "[::1",
  "%00:443",
  "/",
  "*",
  "a:b:c",
  "http://storage.googleapis.com/",
  "",
  `${"x".repeat(5000)}.invalid:443`,
])("CONNECT to %s is answered with an error", async (target) => {
  expect(await exchangeBytes(port, `CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(/^HTTP\/1\.1 (400|502) /);
});

test("a tunnel to an emulated host that carries garbage, or asks for another host's certificate, is closed", async () => {
  const open = "CONNECT storage.googleapis.com:443 HTTP/1.1\r\nHost: storage.googleapis.com:443\r\n\r\n";
  expect(await exchangeBytes(port, Buffer.concat([Buffer.from(open), randomBytes(10_000)]))).toMatch(
    /^HTTP\/1\.1 200 Connection Established\r\n\r\n/,
  );
  const plain = connect(port, "127.0.0.1");
  plain.write(open);
  await once(plain, "data");
  const socket = connectTls({ socket: plain, servername: "evil.com", rejectUnauthorized: false });
  const [error] = (await once(socket, "error")) as [Error];
  expect(error).toBeInstanceOf(Error);
});

test("a request in absolute form goes to the host in its URL, not to that of the Host header", async () => {
  const ask = (line: string, host: string) => exchangeBytes(port, `${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  expect(await ask("GET http://storage.googleapis.com/storage/v1/b/x", "127.0.0.1")).toMatch(/^HTTP\/1\.1 401 /);
  expect(await ask("GET https://storage.googleapis.com/storage/v1/b/x", "evil.com")).toMatch(/^HTTP\/1\.1 401 /);
  expect(await ask("GET http://hello-abc-uc.a.run.app/x?y=1", "127.0.0.1")).toMatch(
    /^HTTP\/1\.1 302 Found\r\nlocation: https:\/\/hello-abc-uc\.a\.run\.app\/x\?y=1\r\n/i,
  );
  expect(await ask("GET http://user:password@127.0.0.1:1/", "storage.googleapis.com")).toMatch(/^HTTP\/1\.1 502 /);
  expect(await ask("GET ftp://storage.googleapis.com/", "evil.com")).toMatch(/^HTTP\/1\.1 501 /);
});

test("at its own address, the emulator accepts only its own names, and changes nothing without its header", async () => {
  for (const host of ["evil.com", "127.0.0.1.evil.com", "localhost.evil.com", "[::1]", ""]) {
    const answer = await exchangeBytes(port, `GET /_emulator/status HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).not.toContain(directory);
  }
  expect((await request("GET", `localhost:${port}`, "/_emulator/status", { token: "" })).json).toMatchObject({ project });
  expect((await request("POST", `127.0.0.1:${port}`, "/_emulator/reset", { token: "" })).status).toBe(403);
  expect((await request("POST", "evil.com", "/_emulator/reset", { token: "", headers: { "x-cloudrun-oauth": "emulator" } })).status).toBe(
    404,
  );
});

test("names that look like paths to the outside are stored as names or refused", async () => {
  const before = readdirSync(directory);
  const names = ["../../../../tmp/out", "/etc/passwd", "..%2F..%2Fout", "a/../../b", "a\u0000b", "-rf", "x".repeat(1024)];
  for (const name of names) {
    const object = `/storage/v1/b/${BUCKET}/o/${encodeURIComponent(name)}`;
    const put = await request(
      "POST",
      "storage.googleapis.com",
      `/upload/storage/v1/b/${BUCKET}/o?uploadType=media&name=${encodeURIComponent(name)}`,
      { body: "harmless" },
    );
    expect([name, put.status, put.json["name"]]).toEqual([name, 200, name]);
    expect((await request("GET", "storage.googleapis.com", `${object}?alt=media`)).text).toBe("harmless");
    expect((await request("DELETE", "storage.googleapis.com", object)).status).toBe(204);
  }
  for (const name of ["..", "../keys", "a/../b", "..%2fkeys"]) {
    const made = await request("POST", "storage.googleapis.com", `/storage/v1/b?project=${project}`, { body: { name } });
    expect([name, made.status]).toEqual([name, 400]);
    expect(
      (await request("GET", "storage.googleapis.com", `/${encodeURIComponent(name)}/${project}-operator.json`)).status,
    ).toBeGreaterThanOrEqual(400);
  }
  expect((await request("GET", "storage.googleapis.com", `/..%2fkeys/${project}-operator.json`)).text).not.toContain("PRIVATE");
  for (const image of ["gcr.io/../../x", "../x", "gcr.io/p/..", "gcr.io/p/a:../../x"]) {
    const { status } = await emulator.build(image, tinyService(""));
    expect([image, status]).toEqual([image, "FAILURE"]);
  }
  expect(readdirSync(directory).filter((name) => !before.includes(name))).toEqual(expect.not.arrayContaining(["x", "out"]));
});

test("JSON with 100,000 levels is refused in a request and harmless in an upload", async () => {
  const deep = `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  const knative = await request("POST", "us-central1-run.googleapis.com", `/apis/serving.knative.dev/v1/namespaces/${project}/services`, {
    body: deep,
  });
  expect([knative.status, knative.json["error"].status]).toEqual([400, "INVALID_ARGUMENT"]);
  const build = await request("POST", "cloudbuild.googleapis.com", `/v1/projects/${project}/builds`, {
    body: `{"steps":[{"name":"docker","x":${deep}}]}`,
  });
  expect([build.status, build.json["error"].status]).toEqual([400, "INVALID_ARGUMENT"]);
  const segment = Buffer.from(`{"alg":${"[".repeat(20_000)}${"]".repeat(20_000)}}`).toString("base64url");
  const body = `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=${segment}.e30.e30`;
  expect((await request("POST", "oauth2.googleapis.com", "/token", { token: "", body })).json).toMatchObject({ error: "invalid_grant" });
});

test("an emulator that is its own proxy doesn't loop", async () => {
  const own = await freePort();
  const url = `http://127.0.0.1:${own}`;
  const env = { ...process.env, CLOUDRUN_OAUTH_EMULATOR: url, HTTPS_PROXY: url, https_proxy: url, HTTP_PROXY: url, http_proxy: url };
  const circular = await startEmulator(onTestFinished, { port: own, env });
  expect(await exchangeBytes(circular.port, "CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n")).toMatch(/^HTTP\/1\.1 502 /);
  expect(await exchangeBytes(circular.port, "GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: x\r\n\r\n")).toMatch(/^HTTP\/1\.1 502 /);
});

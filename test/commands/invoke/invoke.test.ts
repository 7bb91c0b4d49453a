import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage, RequestListener } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { forbidden, notFound, unauthorized } from "../../../src/emulator/front-door/error-pages.ts";
import type { HttpResponse } from "../../../src/emulator/server/http-response.ts";
import { CliError } from "../../../src/errors/cli-error.ts";
import { fakeGcloud, KNATIVE_SERVICE } from "../../helpers/command-line.ts";
import { openCaller, serveService, verifiedClaims } from "../../helpers/caller.ts";
import { EMAIL, holdsKey, writeKeyFile } from "../../helpers/key-file.ts";

/** Responds with the request, if it has an ID token. */
const echo: RequestListener = async (request, response) => {
  const { aud, email } = verifiedClaims(request.headers.authorization) ?? {};
  const body = await readText(request);
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ method: request.method, url: request.url, type: request.headers["content-type"], body, aud, email }));
};

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

const answer =
  (status: number, type: string, body: string | Buffer): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { "Content-Type": type }).end(body);

const page =
  ({ status, headers, body }: HttpResponse): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { ...headers, server: "Google Frontend" }).end(body);

/** The request that reached the service, from the document on stdout. */
const echoed = (stdout: string): Record<string, unknown> => JSON.parse(stdout).response;

test("a key file and a URL give the original sample's document", async () => {
  const { run } = await openCaller();
  const url = await serveService((request, response) => {
    if (!verifiedClaims(request.headers.authorization)) return void response.writeHead(403).end();
    response.setHeader("Content-Type", "application/json");
    response.end('{"message":"Hello World from authenticated Cloud Run!"}');
  });
  expect(await run(["invoke"], { env: { CLOUD_RUN_SERVICE_URL: url } })).toEqual({
    exitCode: 0,
    stdout: '{\n  "status_code": 200,\n  "response": {\n    "message": "Hello World from authenticated Cloud Run!"\n  }\n}\n',
    stderr: "",
  });
});

test("the token is for the service's URL, whatever the path, and of the key's account", async () => {
  const { run, keyFile } = await openCaller();
  const url = await serveService(echo);
  const { stdout } = await run(["invoke", "/orders/a b?x=1&y=%20", "--url", `${url}/`, "--credentials", keyFile], {
    env: { CREDS: "/nowhere" },
  });
  expect(echoed(stdout)).toMatchObject({ method: "GET", url: "/orders/a%20b?x=1&y=%20", aud: url, email: EMAIL });
});

test("an absolute URL is called unchanged, and --audience sets the token's audience", async () => {
  const { run } = await openCaller();
  const url = await serveService(echo);
  const { stdout } = await run(["invoke", `${url}/whoami`, "--audience", "https://custom.example.com"], {
    env: { CLOUD_RUN_SERVICE_URL: "http://127.0.0.1:1" },
  });
  expect(echoed(stdout)).toMatchObject({ url: "/whoami", aud: "https://custom.example.com" });
});

test.for([
  [["-d", '{"a": 1}'], { method: "POST", type: "application/json", body: '{"a": 1}' }],
  [
    ["-d", "a=b", "-H", "content-type: application/x-www-form-urlencoded"],
    { method: "POST", type: "application/x-www-form-urlencoded", body: "a=b" },
  ],
  [["-X", "put", "-d", "@data"], { method: "PUT", type: "text/plain; charset=utf-8", body: "from a file" }],
  [["-d", "@-"], { method: "POST", type: "application/json", body: "[1,2]" }],
  [["-X", "DELETE"], { method: "DELETE", body: "" }],
] as const)("invoke %j sends method, type and body", async ([flags, sent]) => {
  const { run, home } = await openCaller();
  writeFileSync(join(home, "data"), "from a file");
  const { exitCode, stdout } = await run(["invoke", "--url", await serveService(echo), ...flags], { stdin: "[1,2]" });
  expect(exitCode).toBe(0);
  expect(echoed(stdout)).toMatchObject(sent);
});

test("an upload of 20 MB is streamed", async () => {
  const { run, home } = await openCaller();
  writeFileSync(join(home, "upload"), Buffer.alloc(20_000_000, "x"));
  const url = await serveService(async (request, response) => {
    let length = 0;
    for await (const chunk of request) length += (chunk as Buffer).length;
    response.end(JSON.stringify({ length, declared: request.headers["content-length"] }));
  });
  expect(echoed((await run(["invoke", "--url", url, "-d", "@upload"])).stdout)).toEqual({ length: 20_000_000, declared: "20000000" });
});

test("the caller's own Authorization arrives unchanged, and the token in the other header", async () => {
  const { run } = await openCaller();
  const url = await serveService((request, response) => {
    const { aud } = verifiedClaims(request.headers["x-serverless-authorization"] as string) ?? {};
    response.end(JSON.stringify({ authorization: request.headers.authorization, aud }));
  });
  expect(echoed((await run(["invoke", "--url", url, "-H", "Authorization: Basic bWU6eA=="])).stdout)).toEqual({
    authorization: "Basic bWU6eA==",
    aud: url,
  });
});

test("-i adds headers, duration, audience and principal", async () => {
  const { run } = await openCaller();
  const url = await serveService(answer(201, "text/plain", "made"));
  const { stdout } = await run(["invoke", "--url", url, "-i"]);
  expect(JSON.parse(stdout)).toEqual({
    status_code: 201,
    response: "made",
    headers: expect.objectContaining({ "content-type": "text/plain" }),
    duration_ms: expect.any(Number),
    audience: url,
    principal: `serviceAccount:${EMAIL}`,
  });
});

test("--raw prints the body and nothing else", async () => {
  const { run } = await openCaller();
  const url = await serveService(answer(200, "application/json", '{"a":1}'));
  expect(await run(["invoke", "--url", url, "--raw"])).toEqual({ exitCode: 0, stdout: '{"a":1}', stderr: "" });
});

test("-o writes the body into a file that the document names", async () => {
  const { run, home } = await openCaller();
  const bytes = Buffer.alloc(3_000_000, Buffer.from([0, 255, 128]));
  const url = await serveService(answer(200, "application/octet-stream", bytes));
  const { stdout } = await run(["invoke", "--url", url, "-o", "out.bin"]);
  expect(JSON.parse(stdout)).toEqual({ status_code: 200, response: null, file: join(home, "out.bin"), bytes: bytes.length });
  expect(readFileSync(join(home, "out.bin")).equals(bytes)).toBe(true);
});

test("an error and a broken transfer leave no file", async () => {
  const { run, home } = await openCaller();
  const failing = await serveService(answer(500, "text/plain", "no"));
  expect((await run(["invoke", "--url", failing, "-o", "out.bin"])).exitCode).toBe(8);
  const breaking = await serveService((request, response) => {
    response.writeHead(200, { "Content-Length": 100 });
    response.write("half");
    setTimeout(() => request.socket.destroy(), 20);
  });
  const { exitCode, stderr } = await run(["invoke", "--url", breaking, "-o", "out.bin"]);
  expect([exitCode, stderr]).toEqual([7, expect.stringContaining("[UNAVAILABLE]")]);
  expect(existsSync(join(home, "out.bin"))).toBe(false);
  expect(readdirSync(home).filter((name) => name.includes("out.bin"))).toEqual([]);
});

test("a status of 400 or above is printed, and exit code 8", async () => {
  const { run } = await openCaller();
  const url = await serveService(answer(404, "application/json", '{"error":"no such order"}'));
  const { exitCode, stdout, stderr } = await run(["invoke", "/orders/7", "--url", url, "--json"]);
  expect([exitCode, JSON.parse(stdout)]).toEqual([8, { status_code: 404, response: { error: "no such order" } }]);
  expect(JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "")).toEqual({
    error: {
      code: "HTTP_STATUS",
      message: "Service returned 404 Not Found.",
      hint: null,
      next: [],
      exit_code: 8,
      details: { status_code: 404, url: `${url}/orders/7` },
    },
  });
});

test.for([
  [forbidden("/"), "NOT_AUTHORIZED", `${EMAIL} doesn't have permission to invoke`],
  [unauthorized("/"), "NOT_AUTHENTICATED", "127.0.0.1"],
  [notFound(), "NOT_REACHABLE", "No service is reachable at"],
] as const)("a refusal of the front end is printed and explained, with exit code 9: %#", async ([refusal, code, sentence]) => {
  const { run } = await openCaller();
  const url = await serveService(page(refusal));
  const { exitCode, stdout, stderr } = await run(["invoke", "--url", url]);
  const title = String(/<title>(.*)<\/title>/.exec(String(refusal.body))?.[1]);
  expect([exitCode, JSON.parse(stdout)]).toEqual([
    9,
    { status_code: refusal.status, response: expect.stringMatching(`^${title}: [^<>]*\\.$`) },
  ]);
  expect(JSON.parse((await run(["invoke", "--url", url, "--json"])).stdout).response).toBe(refusal.body);
  expect(stderr).toContain(`[${code}]`);
  expect(stderr).toContain(sentence);
});

test("a redirect is printed and not followed", async () => {
  const { run } = await openCaller();
  let followed = 0;
  const elsewhere = await serveService(() => void (followed += 1));
  const url = await serveService((_, response) => void response.writeHead(302, { Location: elsewhere }).end());
  const { exitCode, stdout } = await run(["invoke", "--url", url, "-i"]);
  expect([exitCode, JSON.parse(stdout).headers.location, followed]).toEqual([0, elsewhere, 0]);
});

test("--dry-run prints the request without the token and sends nothing", async () => {
  const { run, keyFile, identity } = await openCaller();
  let requests = 0;
  const url = await serveService(() => void (requests += 1));
  identity.state.serviceAccounts.delete(EMAIL);
  const { exitCode, stdout } = await run([
    "invoke",
    "/a",
    "--url",
    url,
    "--dry-run",
    "-d",
    "[1]",
    "-H",
    "Authorization: Basic bWU6eA==",
    "-o",
    "file",
  ]);
  expect([exitCode, requests]).toEqual([0, 0]);
  expect(JSON.parse(stdout)).toEqual({
    method: "POST",
    url: `${url}/a`,
    headers: [
      "X-Serverless-Authorization: Bearer [ID token]",
      "Authorization: [redacted]",
      "User-Agent: cloudrun-oauth",
      "Content-Type: application/json",
    ],
    body: "[1]",
    audience: url,
    principal: `serviceAccount:${EMAIL}`,
    credentials: keyFile,
    token_request: { method: "POST", url: "https://oauth2.googleapis.com/token" },
  });
});

test("--verbose shows credential, audience and requests, but no token", async () => {
  const { run, keyFile } = await openCaller();
  const url = await serveService(echo);
  const { stderr } = await run(["invoke", "--url", url, "--verbose"]);
  expect(stderr).toContain(`credential: serviceAccount:${EMAIL}, from ${keyFile} (CREDS), key `);
  expect(stderr).toContain(`audience: ${url}\n`);
  expect(stderr).toContain("POST https://oauth2.googleapis.com/token → 200");
  expect(stderr).toContain(`GET ${url}/ → 200`);
  expect(stderr).not.toContain("eyJ");
  expect(holdsKey(stderr)).toBe(false);
});

test("without credentials, without a service, and with a broken key file, the error says what to do", async () => {
  const { run } = await openCaller();
  const none = await run(["invoke", "--url", "http://127.0.0.1:1"], { env: { CREDS: "" } });
  expect([none.exitCode, none.stderr]).toEqual([
    3,
    expect.stringContaining("  Pass --credentials with a key file, or set GOOGLE_APPLICATION_CREDENTIALS"),
  ]);
  const nowhere = await run(["invoke"]);
  expect([nowhere.exitCode, nowhere.stderr]).toEqual([
    2,
    expect.stringContaining("  Pass the service's name or its URL, or set CLOUD_RUN_SERVICE_URL."),
  ]);
  const broken = await run(["invoke", "--url", "http://127.0.0.1:1"], { env: { CREDS: writeKeyFile("{}") } });
  expect([broken.exitCode, broken.stderr]).toEqual([3, expect.stringContaining("The path comes from CREDS.")]);
});

test("a service is called by its name, and describe finds its URL", async () => {
  const { run } = await openCaller();
  const url = await serveService(echo);
  const service = { ...KNATIVE_SERVICE, status: { ...KNATIVE_SERVICE.status, url } };
  const gcloud = fakeGcloud({
    line: "run services describe hello --project my-project --region europe-west1 --quiet --format=json",
    stdout: JSON.stringify(service),
  });
  const { exitCode, stdout } = await run(["invoke", "hello", "/a", "-p", "my-project", "-r", "europe-west1"], { env: gcloud });
  expect([exitCode, echoed(stdout)]).toEqual([0, expect.objectContaining({ url: "/a", aud: url })]);
});

test("--timeout ends a call that takes too long, and an interrupt ends any call", async () => {
  const { run } = await openCaller();
  const url = await serveService(() => {});
  expect(await run(["invoke", "--url", url, "--timeout", "300ms"])).toMatchObject({ exitCode: 7, stdout: "" });
  const interrupt = new AbortController();
  setTimeout(() => interrupt.abort(new CliError("INTERRUPTED", "Interrupted.")), 300);
  expect(await run(["invoke", "--url", url], { signal: interrupt.signal })).toMatchObject({ exitCode: 130, stdout: "" });
});

import { writeFileSync } from "node:fs";
import type { IncomingMessage, RequestListener } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openCaller, serveService, verifiedClaims } from "../../helpers/caller.ts";

/** Responds with the request. */
const echo: RequestListener = async (request, response) => {
  const body = (await read(request)).toString("utf8");
  const { aud } = verifiedClaims(request.headers.authorization) ?? {};
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ method: request.method, url: request.url, type: request.headers["content-type"], body, aud }));
};

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const echoed = (stdout: string): Record<string, unknown> => JSON.parse(stdout).response;

test.for(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"])(
  "-X %s is sent as that, with the token",
  async (method) => {
    const { run } = await openCaller();
    const { stdout } = await run([
      "invoke",
      "--url",
      await serveService((request, response) =>
        response.end(`${request.method} ${verifiedClaims(request.headers.authorization)?.["aud"]}`),
      ),
      "-X",
      method,
    ]);
    expect(JSON.parse(stdout)).toEqual({ status_code: 200, response: expect.stringMatching(new RegExp(`^${method} http://127`)) });
  },
);

test("-X HEAD returns headers and no body", async () => {
  const { run } = await openCaller();
  const url = await serveService((_, response) => void response.writeHead(200, { "Content-Length": 5, "X-A": "b" }).end());
  const { stdout } = await run(["invoke", "--url", url, "-X", "HEAD", "-i"]);
  expect(JSON.parse(stdout)).toMatchObject({ status_code: 200, response: "", headers: { "content-length": "5", "x-a": "b" } });
});

test.for([
  [["--json-data", '{"a":1}'], { method: "POST", type: "application/json", body: '{"a":1}' }],
  [
    ["--json-data", "7", "-X", "PUT", "-H", "Content-Type: application/merge-patch+json"],
    { method: "PUT", type: "application/merge-patch+json", body: "7" },
  ],
  [["--data-urlencode", "a=1 2", "--data-urlencode", "b=@x"], { type: "application/x-www-form-urlencoded", body: "a=1+2&b=%40x" }],
  [["-d", "x", "-X", "GET"], { method: "GET", body: "x" }],
] as const)("invoke %j sends method, type and body", async ([flags, sent]) => {
  const { run } = await openCaller();
  expect(echoed((await run(["invoke", "--url", await serveService(echo), ...flags])).stdout)).toMatchObject(sent);
});

test("a multipart form of 20 MB with its file arrives as a stream of known length", async () => {
  const { run, home } = await openCaller();
  writeFileSync(join(home, "photo.jpg"), Buffer.alloc(20_000_000, "x"));
  const url = await serveService(async (request, response) => {
    const body = await read(request);
    const form = await new Response(new Uint8Array(body), {
      headers: { "Content-Type": request.headers["content-type"] ?? "" },
    }).formData();
    const { name, type, size } = form.get("photo") as File;
    response.end(
      JSON.stringify({
        title: form.get("title"),
        name,
        type,
        size,
        isLengthRight: Number(request.headers["content-length"]) === body.length,
      }),
    );
  });
  const flags = ["-F", "title=Harbour", "-F", "photo=@photo.jpg;type=image/jpeg"];
  expect(echoed((await run(["invoke", "--url", url, ...flags])).stdout)).toEqual({
    title: "Harbour",
    name: "photo.jpg",
    type: "image/jpeg",
    size: 20_000_000,
    isLengthRight: true,
  });
});

test("--auth-header names the header that carries the token, and leaves the other alone", async () => {
  const { run } = await openCaller();
  const url = await serveService((request, response) => {
    const { authorization, "x-serverless-authorization": other } = request.headers;
    response.end(JSON.stringify({ authorization, aud: verifiedClaims(other as string)?.["aud"] }));
  });
  const { stdout } = await run(["invoke", "--url", url, "--auth-header", "x-serverless-authorization"]);
  expect(echoed(stdout)).toEqual({ aud: url });
  const plan = await run(["invoke", "--url", url, "--auth-header", "x-serverless-authorization", "--dry-run"]);
  expect(JSON.parse(plan.stdout).headers[0]).toBe("X-Serverless-Authorization: Bearer [ID token]");
});

test("-L follows redirects within the service with the token, and to other origins without any secret", async () => {
  const { run } = await openCaller();
  const elsewhere = await serveService((request, response) => {
    const { authorization, cookie, "x-serverless-authorization": other, "x-kept": kept } = request.headers;
    response.end(JSON.stringify({ url: request.url, secrets: [authorization, cookie, other].filter(Boolean), kept }));
  });
  const url = await serveService((request, response) => {
    const isCaller = verifiedClaims(request.headers["x-serverless-authorization"] as string) !== undefined;
    if (!isCaller || request.headers.authorization !== "Basic mine") return void response.writeHead(500).end();
    response.writeHead(302, { Location: request.url === "/" ? "/next" : `${elsewhere}/there` }).end("gone on");
  });
  const flags = ["-H", "Authorization: Basic mine", "-H", "Cookie: mine", "-H", "X-Kept: yes"];
  const { exitCode, stdout } = await run(["invoke", "--url", url, "-L", "-i", ...flags]);
  expect([exitCode, echoed(stdout)]).toEqual([0, { url: "/there", secrets: [], kept: "yes" }]);
  expect(JSON.parse(stdout)).toMatchObject({ url: `${elsewhere}/there`, audience: url });
});

test("endless redirects are stopped", async () => {
  const { run } = await openCaller();
  let requests = 0;
  const url = await serveService((_, response) => {
    requests += 1;
    response.writeHead(302, { Location: `/${requests}` }).end();
  });
  const { exitCode, stdout, stderr } = await run(["invoke", "--url", url, "-L"]);
  expect([exitCode, stdout, stderr, requests]).toEqual([8, "", expect.stringContaining("Too many redirects"), 11]);
});

test.for([
  [["-H", "no colon"], "Invalid header."],
  [["-X", "GET /admin"], 'Invalid HTTP method "GET /admin"'],
  [["-X", "CONNECT"], 'Invalid HTTP method "CONNECT"'],
  [["--raw", "-o", "x"], "--raw and --output can't be used together."],
  [["--raw", "-i"], "--raw and --include can't be used together."],
  [["-o", "none/file"], "Can't write"],
  [["ftp://example.test/"], "expected https://, not ftp://"],
  [["http://example.test/"], "http://example.test would receive the ID token unencrypted."],
  [["https://me:secret@example.test/"], "The URL contains a username or password"],
  [["https://"], 'Invalid URL "https://".'],
  [["https://other.example.test/"], "name different services"],
  [["hello", "other"], 'Expected one service, but got "hello" and "other".'],
  [["-d", "x", "-F", "a=b"], "--data and --form can't be used together."],
  [["--json-data", "{"], "--json-data isn't valid JSON"],
  [["-F", "a"], "Invalid form field."],
  [["-F", "a=b", "-H", "Content-Type: multipart/form-data"], "Content-Type can't be set for a multipart form"],
  [["--auth-header", "authorization", "-H", "Authorization: x"], "Authorization can't carry both the ID token and your value."],
  [["--auth-header", "cookie"], "Allowed values: authorization, x-serverless-authorization."],
  [["--no-buffer", "-o", "x"], "--no-buffer and --output can't be used together."],
  [["/a", "/b", "-o", "x"], "--output can save only one response."],
  [["--watch", "-o", "x"], "--output can save only one response."],
  [["--wait-for", "ok"], 'Invalid status "ok" for --wait-for.'],
  [["--repeat", "0"], "--repeat must be at least 1."],
  [["--retries", "many"], "Use a whole number."],
  [["--watch", "/a"], "Examples: 90s, 1500ms, 5m."],
  [["-d", "@large", "--retry-all"], "A body larger than 1 MiB is streamed, so it can't be sent again."],
  [["-d", "@large", "--repeat", "2"], "A body larger than 1 MiB"],
  [["-d", "@large", "--wait-for", "200"], "A body larger than 1 MiB"],
  [["-F", "a=@large", "/a", "/b"], "A body larger than 1 MiB"],
] as const)("invoke %j is exit code 2 before anything is sent", async ([flags, sentence]) => {
  const { run, home } = await openCaller();
  writeFileSync(join(home, "large"), Buffer.alloc(1_100_000));
  let requests = 0;
  const url = await serveService(() => void (requests += 1));
  expect(await run(["invoke", "--url", url, ...flags])).toEqual({ exitCode: 2, stdout: "", stderr: expect.stringContaining(sentence) });
  expect(requests).toBe(0);
});

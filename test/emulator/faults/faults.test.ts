import { execFile } from "node:child_process";
import { request } from "node:http";
import { promisify } from "node:util";
import { afterAll, afterEach, expect, test } from "vitest";
import { sendAdmin } from "../../helpers/admin.ts";
import { send } from "../../helpers/api-server.ts";
import { HELLO, startEmulator, tinyService } from "../../helpers/emulator.ts";

const emulator = await startEmulator(afterAll);
const { port, project } = emulator;
const PROJECT = `/v1/projects/${project}`;
const read = () => emulator.request("GET", "cloudresourcemanager.googleapis.com", PROJECT);
const add = async (fault: object) => (await sendAdmin(port, "POST", "/_emulator/faults", fault)).json;
const list = async () => (await sendAdmin(port, "GET", "/_emulator/faults")).json["faults"];

afterEach(() => sendAdmin(port, "DELETE", "/_emulator/faults"));

test("a status has Google's error body, is returned as many times as requested, and is counted", async () => {
  expect(await add({ match: "cloudresourcemanager.googleapis.com", status: 503, times: 2 })).toMatchObject({ times: 2, struck: 0 });
  const [first, second, third] = [await read(), await read(), await read()];
  expect(first).toMatchObject({
    status: 503,
    json: { error: { code: 503, message: "The service is currently unavailable.", status: "UNAVAILABLE" } },
  });
  expect([second.status, third.status]).toEqual([503, 200]);
  expect(await list()).toMatchObject([{ times: 0, struck: 2 }]);
});

test("an exceeded quota has a Retry-After header", async () => {
  await add({ match: "*", status: 429, retry_after: 5 });
  const { status, headers, json } = await read();
  expect({ status, retry: headers["retry-after"], reason: json["error"].details[0].reason, code: json["error"].status }).toEqual({
    status: 429,
    retry: "5",
    reason: "RATE_LIMIT_EXCEEDED",
    code: "RESOURCE_EXHAUSTED",
  });
});

test("a VPC Service Controls fault makes APIs return the violation, and services a plain refusal", async () => {
  await add({ match: "**", status: 403, reason: "VPC_SERVICE_CONTROLS" });
  const { status, json } = await read();
  const { message, details } = json["error"];
  expect([status, message]).toEqual([
    403,
    expect.stringMatching(/^Request is prohibited by organization's policy\. vpcServiceControlsUniqueIdentifier: [\w-]{32}$/),
  ]);
  expect(details[0].violations).toEqual([{ type: "VPC_SERVICE_CONTROLS", description: message.slice(-32) }]);
  const page = await send(port, "GET", "hello-abc-uc.a.run.app", "/", { token: "" });
  expect([page.status, page.text]).toEqual([403, expect.stringContaining("<h1>Error: Forbidden</h1>")]);
});

test("the token endpoint fails in OAuth's words, for the given method only", async () => {
  await add({ match: "oauth2.googleapis.com/token", method: "post", status: 503 });
  const refused = await send(port, "POST", "oauth2.googleapis.com", "/token", { token: "" });
  expect(refused).toMatchObject({ status: 503, json: { error: "internal_failure", error_description: "Backend Error" } });
  expect((await send(port, "GET", "oauth2.googleapis.com", "/token", { token: "" })).status).not.toBe(503);
  expect((await read()).status).toBe(200);
});

test("latency delays a response and doesn't change it", async () => {
  await add({ match: "**", latency_ms: 200 });
  const started = performance.now();
  expect((await read()).json["projectId"]).toBe(project);
  expect(performance.now() - started).toBeGreaterThan(195);
});

test("a reset ends the connection without a response", async () => {
  await add({ match: "**", reset: true });
  await expect(read()).rejects.toMatchObject({ code: "ECONNRESET" });
});

test("a body is truncated under its full content-length", async () => {
  const whole = await read();
  await add({ match: "**", truncate: 10 });
  const { headers, text, error } = await readCut();
  expect({ length: headers["content-length"], text, error: error?.code }).toEqual({
    length: String(whole.bytes.length),
    text: whole.text.slice(0, 10),
    error: "ECONNRESET",
  });
  await sendAdmin(port, "DELETE", "/_emulator/faults");
  await add({ match: "**", truncate: whole.bytes.length });
  expect((await read()).text).toBe(whole.text);
});

test("through TLS, curl gets what Google's clients would", async () => {
  const curl = async () => {
    const argv = ["-sS", "-o", "/dev/null", "-w", "%{http_code}", `https://cloudresourcemanager.googleapis.com${PROJECT}`];
    const { environment } = emulator.status();
    const env = { PATH: process.env["PATH"], ...Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== null)) };
    return promisify(execFile)("curl", argv, { env } as object).then(
      ({ stdout }) => String(stdout),
      ({ code }: { code: number }) => `curl ${code}`,
    );
  };
  expect(await curl()).toBe("401");
  await add({ match: "cloudresourcemanager.googleapis.com", reset: true, times: 1 });
  // 56 and 55: the connection was reset; 35 if curl was still in its TLS handshake, 16 with HTTP/2.
  expect(await curl()).toMatch(/^curl (56|55|35|16)$/);
  await add({ match: "cloudresourcemanager.googleapis.com", truncate: 5 });
  // 18: the transfer closed with bytes outstanding; 56 and 92 are how later versions call it, over TLS and HTTP/2.
  expect(await curl()).toMatch(/^curl (18|56|92)$/);
});

test("a service fails with Cloud Run's page before it is called", async () => {
  const { host } = await emulator.deploy("faulty", tinyService(HELLO));
  await emulator.grant("faulty", "allUsers");
  const call = () => send(port, "GET", host, "/", { token: "" });
  expect((await call()).status).toBe(200);
  await add({ match: "faulty-*.run.app", status: 504 });
  expect(await call()).toMatchObject({ status: 504, text: expect.stringContaining("<title>504 Gateway Timeout</title>") });
  await sendAdmin(port, "DELETE", "/_emulator/faults");
  await add({ match: "*.run.app/", truncate: 4 });
  const { text, error } = await readCut(host, "/");
  expect({ text, error: error?.code }).toEqual({ text: '{"me', error: "ECONNRESET" });
});

test.for([
  [{}, /match/],
  [{ match: "**" }, /one of status, latency_ms, reset, and truncate/],
  [{ match: "a b", status: 500 }, /match: must be a host, a path, or both/],
  [{ match: "**", status: 200 }, /status/],
  [{ match: "**", status: 500, reset: true }, /can't be combined/],
  [{ match: "**", reset: true, retry_after: 1 }, /retry_after requires a status/],
  [{ match: "**", status: 503, reason: "VPC_SERVICE_CONTROLS" }, /requires the status 403/],
  [{ match: "**", status: 500, times: 0 }, /times/],
  [{ match: "**", status: 500, probability: 1 }, /probability/],
] as const)("the invalid fault %j is refused", async ([fault, reason]) => {
  const { status, json } = await sendAdmin(port, "POST", "/_emulator/faults", fault);
  expect({ status, message: json["error"].message }).toEqual({ status: 400, message: expect.stringMatching(reason) });
  expect(await list()).toEqual([]);
});

test("a fault is removed by its id; a web page can't add one", async () => {
  const { id } = await add({ match: "**", status: 500 });
  expect((await send(port, "DELETE", "127.0.0.1", `/_emulator/faults/${id}`, { token: "" })).status).toBe(403);
  expect((await sendAdmin(port, "DELETE", `/_emulator/faults/${id}`)).json).toEqual({ faults: [] });
  expect((await sendAdmin(port, "DELETE", `/_emulator/faults/${id}`)).status).toBe(404);
});

/** What arrives before the connection breaks. */
function readCut(host = "cloudresourcemanager.googleapis.com", path = PROJECT) {
  return new Promise<{ headers: NodeJS.Dict<string | string[]>; text: string; error: NodeJS.ErrnoException | undefined }>((resolve) => {
    const headers = { host, authorization: `Bearer ${emulator.token}` };
    request({ host: "127.0.0.1", port, path, headers, agent: false }, (response) => {
      let text = "";
      let error: NodeJS.ErrnoException | undefined;
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("error", (thrown) => (error = thrown));
      response.on("close", () => resolve({ headers: response.headers, text, error }));
    }).end();
  });
}

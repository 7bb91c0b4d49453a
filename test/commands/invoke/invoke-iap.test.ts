import { beforeAll, afterAll, expect, test } from "vitest";
import { mergeEnvironment } from "../../../src/context/merge-environment.ts";
import { iapClient } from "../../../src/emulator/front-door/iap.ts";
import { runCli } from "../../helpers/command-line.ts";
import { startEmulator, tinyService } from "../../helpers/emulator.ts";

/** Responds with the request, without credentials. */
const ECHO = `
require("node:http")
  .createServer(({ headers }, response) => {
    const { authorization, "x-goog-authenticated-user-email": user = null } = headers;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ user, own: authorization === "Basic bWU6bWU=", }));
  })
  .listen(process.env.PORT, "127.0.0.1");
`;

const emulator = await startEmulator(afterAll);
const { project, request } = emulator;
const environment = mergeEnvironment({}, emulator.status().environment) as Record<string, string>;
const caller = environment["SERVICE_ACCOUNT_EMAIL"] ?? "";
const SERVICES = `/apis/serving.knative.dev/v1/namespaces/${project}/services`;
let url = "";
let open = "";
let client = "";

/** Under --json, the error is the last line of stderr. */
const run = (...argv: readonly string[]) => runCli(["--json", ...argv], { env: { ...environment, CLOUD_RUN_SERVICE_URL: url } });

beforeAll(async () => {
  ({ url } = await emulator.deploy("guarded", tinyService(ECHO)));
  ({ url: open } = await emulator.deploy("unguarded", tinyService(ECHO)));
  const service = (await request("GET", "us-central1-run.googleapis.com", `${SERVICES}/guarded`)).json;
  service["metadata"].annotations["run.googleapis.com/iap-enabled"] = "true";
  await request("PUT", "us-central1-run.googleapis.com", `${SERVICES}/guarded`, { body: service });
  client = iapClient({ projectNumber: service["metadata"].namespace });
  const policy = {
    bindings: [
      { role: "roles/owner", members: [`serviceAccount:operator@${project}.iam.gserviceaccount.com`] },
      { role: "roles/iap.httpsResourceAccessor", members: [`serviceAccount:${caller}`] },
    ],
  };
  await request("POST", "cloudresourcemanager.googleapis.com", `/v1/projects/${project}:setIamPolicy`, { body: { policy } });
});

test("without --iap the refusal names the flag, and with it the call succeeds with the client that IAP names", async () => {
  const refused = await run("invoke");
  expect(refused.exitCode).toBe(9);
  expect(JSON.parse(refused.stderr.trim().split("\n").at(-1) ?? "")).toMatchObject({
    error: {
      next: [{ text: "To call it with a token for IAP", command: expect.arrayContaining(["invoke", "--iap"]) }],
      details: { reason: "IAP_AUDIENCE_MISMATCH" },
    },
  });
  const { exitCode, stdout } = await run("invoke", "--iap", "-i");
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([
    0,
    { audience: client, response: { user: `accounts.google.com:${caller}`, own: false } },
  ]);
});

test("a given client isn't looked up, and a wrong one is rejected", async () => {
  expect(JSON.parse((await run("invoke", "--iap", client, "--dry-run")).stdout)).toMatchObject({ audience: client });
  expect(await run("invoke", "--iap", "somebody-elses")).toMatchObject({ exitCode: 9 });
});

test("the caller's own Authorization reaches the service, and the token goes into Proxy-Authorization", async () => {
  const { stdout } = await run("invoke", "--iap", "-H", "Authorization: Basic bWU6bWU=");
  expect(JSON.parse(stdout)).toMatchObject({ status_code: 200, response: { own: true } });
});

test("token --iap prints a token for the client", async () => {
  expect(JSON.parse((await run("token", "--iap")).stdout)).toMatchObject({ audience: client, claims: { aud: client, email: caller } });
});

test.for([
  ["a service without IAP", () => run("invoke", "--iap", "--url", open), " isn't protected by Identity-Aware Proxy"],
  ["two audiences", () => run("invoke", "--iap", "--audience", "x"), "--audience and --iap can't be used together."],
  ["two audiences of a token", () => run("token", "--audience", "x", "--iap"), "--audience and --iap can't be used together."],
  [
    "a header that IAP doesn't read",
    () => run("invoke", "--iap", "--auth-header", "x-serverless-authorization"),
    "Identity-Aware Proxy doesn't read X-Serverless-Authorization.",
  ],
] as const)("%s is rejected in one sentence", async ([, refused, sentence]) => {
  const { exitCode, stdout, stderr } = await refused();
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toContain(sentence);
});

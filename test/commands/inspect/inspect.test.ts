import { expect, test } from "vitest";
import { openCaller } from "../../helpers/caller.ts";
import { KNATIVE_SERVICE, fakeGcloud } from "../../helpers/command-line.ts";
import { EMAIL } from "../../helpers/key-file.ts";
import { idTokenOf } from "../../helpers/service-call.ts";

const URL_OF_SERVICE = "https://hello-abc123-uc.a.run.app";

async function openInspector() {
  const caller = await openCaller();
  const now = Math.floor(Date.now() / 1000);
  const idToken = (changes: object = {}) => idTokenOf(caller.identity.caller, URL_OF_SERVICE, { iat: now, exp: now + 3600, ...changes });
  return { ...caller, idToken };
}

test("without a token, inspect checks the one that the command token prints, and prints no token", async () => {
  const { run } = await openInspector();
  const { exitCode, stdout, stderr } = await run(["inspect"], { env: { CLOUD_RUN_SERVICE_URL: `${URL_OF_SERVICE}/path` } });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout.split("\n")).toEqual([
    `ID token issued to the service account ${EMAIL}.`,
    `It's for the Cloud Run service at ${URL_OF_SERVICE}. Whether the account can invoke the service isn't checked here.`,
    "  Signature: valid (keys from https://www.googleapis.com/oauth2/v3/certs)",
    `  Audience: ${URL_OF_SERVICE} (matches)`,
    expect.stringMatching(/^ {2}Issued: \d{4}-/),
    expect.stringMatching(/^ {2}Expires: \d{4}-/),
    "",
  ]);
});

test("- reads the token from stdin, also as a curl header, and the argument can be a token", async () => {
  const { run, idToken } = await openInspector();
  for (const stdin of [`${idToken()}\n`, `Authorization: Bearer ${idToken()}\r\n`])
    expect(await run(["inspect", "-"], { stdin })).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await run(["inspect", idToken()])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining(`  Audience: ${URL_OF_SERVICE} (not compared with a service)\n`),
  });
});

test("an invalid token is reported on stdout, with exit code 3 and the reason", async () => {
  const { run, idToken } = await openInspector();
  const { exitCode, stdout, stderr } = await run(["inspect", "-", "--json", "--audience", "https://other.example.com"], {
    stdin: idToken({ exp: 1000 }),
  });
  expect([exitCode, JSON.parse(stdout)]).toEqual([
    3,
    expect.objectContaining({ kind: "id_token", valid: false, expires_at: "1970-01-01T00:16:40Z" }),
  ]);
  expect(JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "")).toEqual({
    error: {
      code: "CREDENTIALS_INVALID",
      message: "The token expired at 1970-01-01T00:16:40Z.",
      hint: null,
      next: [{ text: "To get a new token", command: [expect.any(String), "token"] }],
      exit_code: 3,
      details: { reasons: ["EXPIRED", "WRONG_AUDIENCE"] },
    },
  });
});

test("the expected audience is the service's, from the URL in the settings or from describe", async () => {
  const { run, idToken } = await openInspector();
  const other = await run(["inspect", "-"], { stdin: idToken(), env: { CLOUD_RUN_SERVICE_URL: "https://other-abc123-uc.a.run.app" } });
  expect([other.exitCode, other.stderr]).toEqual([
    3,
    expect.stringContaining(`Wrong audience: the token is for ${URL_OF_SERVICE}, not for https://other-abc123`),
  ]);
  const line = "run services describe hello --project my-project --region us-central1 --quiet --format=json";
  const service = ["-s", "hello", "-p", "my-project"];
  const env = fakeGcloud({ line, stdout: JSON.stringify(KNATIVE_SERVICE) }, { line, exitCode: 1, stderr: "ERROR: (gcloud) no" });
  for (const said of [/ \(matches\)\n/, / \(not compared with a service\)\n/]) {
    const { exitCode, stdout } = await run(["inspect", "-", ...service], { stdin: idToken(), env });
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(said)]);
  }
});

test("a service's name inspects a token for that service", async () => {
  const { run } = await openInspector();
  const line = "run services describe hello --project my-project --region us-central1 --quiet --format=json";
  const { exitCode, stdout } = await run(["inspect", "hello", "-p", "my-project"], {
    env: fakeGcloud({ line, stdout: JSON.stringify(KNATIVE_SERVICE) }),
  });
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining(`  Audience: ${KNATIVE_SERVICE.status.url} (matches)`)]);
});

test("other text isn't a token, and --dry-run shows the requests", async () => {
  const { run, idToken } = await openInspector();
  expect(await run(["inspect", "Hello!"])).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("Not a Google token") });
  expect(await run(["inspect", idToken(), "--dry-run"])).toEqual({
    exitCode: 0,
    stdout: "GET https://www.googleapis.com/oauth2/v3/certs\n",
    stderr: "",
  });
  expect((await run(["inspect", "ya29.x", "--dry-run"])).stdout).toBe("POST https://oauth2.googleapis.com/tokeninfo\n");
});

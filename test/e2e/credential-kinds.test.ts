import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { HOME, newcomer } from "../helpers/bin.ts";

/** What is built holds google-auth-library without what it would open connections by: each of its clients is seen to work, proxies set. */
test("the built program gets by a login, an impersonation and a federation as far as they may", async () => {
  const user = newcomer();
  const write = (name: string, content: object) => writeFileSync(join(user.work, name), JSON.stringify(content));
  mkdirSync(join(user.work, "keys"));
  write("seed.json", { users: [{ email: "me@example.com", credentials: "keys/me.json" }], projects: [] });
  write("token.json", { token: "no JWT" });
  write("federation.json", {
    type: "external_account",
    audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: "https://sts.googleapis.com/v1/token",
    service_account_impersonation_url:
      "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com:generateAccessToken",
    credential_source: { file: "token.json", format: { type: "json", subject_token_field_name: "token" } },
  });
  const script = `
    cli() { "$NODE" "$BIN" "$@" || echo "exit $?"; }
    cli --quiet emulator seed seed.json
    cli token https://a.example.com --json --credentials keys/me.json
    cli token https://a.example.com --impersonate-service-account "$SERVICE_ACCOUNT_EMAIL"
    cli token https://a.example.com --credentials federation.json`;
  const { exitCode, stdout, stderr } = await user.run(["emulator", "exec", ...HOME, "--", "/bin/sh", "-c", script], {
    tokensAskedFor: "the script asks for them",
    env: { NODE: process.execPath, BIN: user.bin },
  });
  expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/\}\nexit 3\nexit 3\n$/) });
  expect(String(stdout)).toContain('"email": "me@example.com"');
  expect(stderr).toContain("serviceAccount:caller@cloudrun-local.iam.gserviceaccount.com doesn't have permission to impersonate caller@");
  expect(stderr).toContain(
    'sts.googleapis.com rejected the token from the file token.json: The target service indicated by the "audience"',
  );
});

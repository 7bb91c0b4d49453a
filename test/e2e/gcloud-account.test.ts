import { expect } from "vitest";
import { HOME, newUser } from "../helpers/bin.ts";
import { testNeeding } from "../helpers/requirements.ts";

testNeeding("gcloud", "what the real gcloud leaves of the account that is active gets tokens, without gcloud being run", async () => {
  const user = newUser();
  // Nothing else is left to find; and no PATH, so that no gcloud is found either.
  const script = `unset CREDS GOOGLE_APPLICATION_CREDENTIALS; PATH= exec "$NODE" "$BIN" token https://a.example.com --verbose --json`;
  const { exitCode, stdout, stderr } = await user.run(["emulator", "exec", ...HOME, "--", "/bin/sh", "-c", script], {
    tokensAskedFor: "the script asks for one",
    env: { NODE: process.execPath, BIN: user.bin },
  });
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 0,
    stderr: expect.stringMatching(/^credential: serviceAccount:operator@.* \(gcloud's account operator@/m),
  });
  expect(JSON.parse(String(stdout))).toMatchObject({
    audience: "https://a.example.com",
    claims: { email: "operator@cloudrun-local.iam.gserviceaccount.com", aud: "https://a.example.com" },
  });
});

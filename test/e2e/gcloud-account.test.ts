import { expect } from "vitest";
import { HOME, newUser } from "../helpers/bin.ts";
import { testNeeding } from "../helpers/requirements.ts";

testNeeding("gcloud", "the files of gcloud's active account are enough to get tokens, without gcloud itself", async () => {
  const user = newUser();
  // No other credential, and no PATH with gcloud.
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

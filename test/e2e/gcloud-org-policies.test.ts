import { execa } from "execa";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { signIn } from "../../src/cloud/gcloud/sign-in.ts";
import { startEmulator } from "../helpers/emulator.ts";
import { testNeeding } from "../helpers/requirements.ts";

const { project, ...emulator } = await startEmulator(afterAll);
const { environment } = emulator.status();
const folder = mkdtempSync(join(tmpdir(), "cloudrun-oauth-gcloud-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const env = {
  PATH: process.env["PATH"],
  HOME: folder,
  ...Object.fromEntries(Object.entries(environment).flatMap(([name, value]) => (value === null ? [] : [[name, value]]))),
};

async function gcloud(line: string): Promise<string> {
  const { stdout } = await execa("gcloud", line.split(" "), { env, extendEnv: false, stdin: "ignore", cwd: folder });
  return stdout;
}

testNeeding(
  "gcloud",
  "gcloud sets an organization policy, and what it forbids is refused",
  async () => {
    await signIn(env);
    const policies = `--project ${project} --format json`;
    const constraint = "iam.disableServiceAccountKeyCreation";
    const set = JSON.parse(await gcloud(`resource-manager org-policies enable-enforce ${constraint} ${policies}`));
    expect(set).toMatchObject({ constraint: `constraints/${constraint}`, booleanPolicy: { enforced: true } });
    await expect(gcloud(`iam service-accounts keys create key.json --iam-account ${environment["SERVICE_ACCOUNT_EMAIL"]}`)).rejects.toThrow(
      /FAILED_PRECONDITION: Key creation is not allowed on this service account\.[\s\S]*type: constraints\/iam\.disableServiceAccountKeyCreation/,
    );
    expect(JSON.parse(await gcloud(`resource-manager org-policies list ${policies}`))).toMatchObject([set]);
  },
  180_000,
);

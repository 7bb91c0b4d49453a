import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mergeEnvironment } from "../../../src/context/merge-environment.ts";
import { folder, runCli } from "../../helpers/command-line.ts";
import { HELLO, startEmulator, tinyService } from "../../helpers/emulator.ts";

const emulator = await startEmulator(afterAll, { env: { PATH: dirname(process.execPath), HOME: tmpdir() } });
const { project, request } = emulator;
const CALLER = `serviceAccount:caller@${project}.iam.gserviceaccount.com`;
const SERVICE = `projects/${project}/locations/us-central1/services/hello`;
const home = mkdtempSync(join(tmpdir(), "cloudrun-oauth-test-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
let audiences = "";

beforeAll(async () => {
  await emulator.deploy("hello", tinyService(HELLO));
  const { json } = await request("GET", "us-central1-run.googleapis.com", `/v1/${SERVICE}`);
  audiences = JSON.parse(json["metadata"].annotations["run.googleapis.com/urls"]).join(", ");
});

async function inspect(...argv: readonly string[]) {
  const env = mergeEnvironment({ HOME: home, SERVICE_NAME: "hello" }, emulator.status().environment) as Record<string, string>;
  return runCli(["inspect", "--why", ...argv], { env: { ...env, PATH: "" }, cwd: folder() });
}

async function setPolicy(...bindings: readonly object[]): Promise<void> {
  const { status } = await request("POST", "run.googleapis.com", `/v1/${SERVICE}:setIamPolicy`, {
    body: { policy: { version: 3, bindings } },
  });
  expect(status).toBe(200);
}

const audienceLine = () => `  Accepted audiences: ${audiences}. Tokens from gcloud auth print-identity-token are also accepted.\n`;

test("names the binding that grants a member access, and no other", async () => {
  await setPolicy({ role: "roles/run.invoker", members: [CALLER] }, { role: "roles/run.viewer", members: [CALLER] });
  const { exitCode, stdout } = await inspect();
  expect(exitCode).toBe(0);
  expect(stdout).toBe(`${CALLER} can invoke hello.\n  roles/run.invoker for ${CALLER} on ${SERVICE} grants access.\n${audienceLine()}`);
});

test("says that no binding includes a member, or that none of them suffices", async () => {
  await setPolicy();
  expect((await inspect()).stdout).toBe(
    `${CALLER} can't invoke hello.\n  No role binding on the service, its project, or their parents includes the member.\n${audienceLine()}`,
  );
  await setPolicy({ role: "roles/run.viewer", members: ["allAuthenticatedUsers"] });
  expect((await inspect()).stdout).toBe(
    `${CALLER} can't invoke hello.\n  roles/run.viewer for allAuthenticatedUsers on ${SERVICE} doesn't include run.routes.invoke.\n${audienceLine()}`,
  );
});

test("says which condition is met or not, and that the project grants the operator access", async () => {
  const until = (time: string) => ({ title: "until then", expression: `request.time < timestamp("${time}")` });
  await setPolicy(
    { role: "roles/run.invoker", members: [CALLER], condition: until("2020-01-01T00:00:00Z") },
    { role: "roles/run.invoker", members: ["user:ada@example.com"], condition: until("2120-01-01T00:00:00Z") },
  );
  expect((await inspect()).stdout).toContain(
    `roles/run.invoker for ${CALLER} on ${SERVICE} doesn't grant access now, because its condition isn't met: request.time < timestamp("2020-01-01T00:00:00Z")\n`,
  );
  expect((await inspect("--member", "ada@example.com")).stdout).toContain("grants access (its condition is met: request.time <");
  const operator = `operator@${project}.iam.gserviceaccount.com`;
  expect((await inspect("--member", operator)).stdout).toContain(
    `  roles/owner for serviceAccount:${operator} on projects/${project} grants access.\n`,
  );
});

test("--json prints the bindings", async () => {
  await setPolicy({ role: "roles/run.invoker", members: [CALLER] });
  const { stdout } = await inspect("hello", "--json", "--member", CALLER);
  expect(JSON.parse(stdout)).toEqual({
    service: "hello",
    project,
    region: "us-central1",
    member: CALLER,
    permission: "run.routes.invoke",
    access: "GRANTED",
    reasons: [expect.stringContaining("grants access"), expect.stringContaining("audiences")],
    bindings: [
      { resource: SERVICE, role: "roles/run.invoker", members: [CALLER], condition: null, has_permission: true, access: "GRANTED" },
    ],
    ingress: "all",
    audiences: audiences.split(", "),
  });
});

test("says what else prevents a call, and that the invoker check is off", async () => {
  await setPolicy();
  const path = `/v1/${SERVICE}`;
  const { json } = await request("GET", "us-central1-run.googleapis.com", path);
  const annotations = {
    ...json["metadata"].annotations,
    "run.googleapis.com/ingress": "internal",
    "run.googleapis.com/default-url-disabled": "True",
    "run.googleapis.com/invoker-iam-disabled": "True",
  };
  const body = { ...json, metadata: { ...json["metadata"], annotations } };
  expect((await request("PUT", "us-central1-run.googleapis.com", path, { body })).status).toBe(200);
  expect((await inspect()).stdout.split("\n")).toEqual([
    `${CALLER} can invoke hello.`,
    "  The service is public: its invoker IAM check is disabled (--no-invoker-iam-check).",
    "  No role binding on the service, its project, or their parents includes the member.",
    "  External requests can't reach hello: its ingress setting is internal.",
    "  The run.app URLs for hello return 404: the default URL is disabled.",
    "",
  ]);
});

test("explains only one account, and --dry-run shows the requests", async () => {
  expect(await inspect("--member", "group:all@example.com")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("a single account"),
  });
  const { stdout } = await inspect("--dry-run");
  expect(stdout).toContain("POST https://policytroubleshooter.googleapis.com/v1/iam:troubleshoot {");
});

import { expect, test } from "vitest";
import { fakeGcloud, KNATIVE_SERVICE, runCli } from "../../helpers/command-line.ts";
import { DESCRIBE_CALL, ENV, POLICY_CALL, POLICY_JSON, PROJECT_POLICY_CALL, WHERE } from "../../helpers/gcloud-service.ts";

test("members shows who can invoke through the service or its project, and with --all everyone else", async () => {
  const calls = [DESCRIBE_CALL, POLICY_CALL, PROJECT_POLICY_CALL];
  const { stdout } = await runCli(["members"], { env: { ...ENV, ...fakeGcloud(...calls) } });
  expect(stdout.split("\n")).toEqual([
    "user:me@example.com\troles/run.invoker",
    "user:owner@example.com\troles/owner\tby the project",
    "user:me@example.com\troles/owner\tby the project",
    "group:night@example.com\troles/run.invoker\tby the project, if night: request.time.getHours() < 6",
    "group:own@example.com\tprojects/my-project/roles/caller\tby the project, a role of your own, which may or may not let call",
    "",
  ]);
  const all = await runCli(["members", "--all", "--json"], { env: { ...ENV, ...fakeGcloud(...calls) } });
  const found = JSON.parse(all.stdout) as { members: object[] };
  expect(found).toMatchObject({ public: false, invoker_check: true, project_policy_read: true, etag: "BwX=" });
  expect(found.members).toHaveLength(6);
  expect(found.members).toContainEqual({
    member: "user:viewer@example.com",
    role: "roles/viewer",
    may_call: false,
    inherited_from: "project",
    condition: null,
  });
  const dry = await runCli(["members", "--dry-run"], { env: { ...ENV, ...fakeGcloud() } });
  expect(dry.stdout.trimEnd().split("\n").toSorted()).toEqual(calls.map(({ line }) => `gcloud ${line}`).toSorted());
});

test("members works without the policy of the project, and says what makes a service public", async () => {
  const open = structuredClone(KNATIVE_SERVICE) as { metadata: { annotations: Record<string, string> } };
  open.metadata.annotations["run.googleapis.com/invoker-iam-disabled"] = "true";
  const denied = "ERROR: (gcloud.projects.get-iam-policy) PERMISSION_DENIED: Permission 'resourcemanager.projects.getIamPolicy' denied";
  const calls = (service: object, policy: string) =>
    fakeGcloud(
      { line: `run services describe hello ${WHERE}`, stdout: JSON.stringify(service) },
      { line: `run services get-iam-policy hello ${WHERE}`, stdout: policy },
      { line: PROJECT_POLICY_CALL.line, stderr: denied, exitCode: 1 },
    );
  const unchecked = await runCli(["members", "--json"], { env: { ...ENV, ...calls(open, POLICY_JSON) } });
  expect(JSON.parse(unchecked.stdout)).toMatchObject({ public: true, invoker_check: false, project_policy_read: false });
  expect(unchecked.stderr).toContain("Warning: You may not read what project my-project grants");
  const everybody = JSON.stringify({ bindings: [{ role: "roles/run.invoker", members: ["allUsers"] }] });
  const byAllUsers = await runCli(["members"], { env: { ...ENV, ...calls(KNATIVE_SERVICE, everybody) } });
  expect(byAllUsers.stdout).toBe("allUsers\troles/run.invoker\n");
  expect(byAllUsers.stderr).toContain("Everybody may call it, by allUsers.");
});

import { expect, test } from "vitest";
import { KNATIVE_SERVICE } from "../../helpers/command-line.ts";
import { DESCRIBE_CALL, POLICY_CALL, POLICY_JSON, PROJECT_POLICY_CALL, runWithGcloud } from "../../helpers/gcloud-service.ts";

test("members shows who can invoke through the service or its project, and with --all everyone else", async () => {
  const calls = [DESCRIBE_CALL, POLICY_CALL, PROJECT_POLICY_CALL];
  const { stdout } = await runWithGcloud(["members"], calls);
  expect(stdout.split("\n")).toEqual([
    "user:me@example.com\troles/run.invoker",
    "user:owner@example.com\troles/owner\tfrom the project",
    "user:me@example.com\troles/owner\tfrom the project",
    "group:night@example.com\troles/run.invoker\tfrom the project, if night: request.time.getHours() < 6",
    "group:own@example.com\tprojects/my-project/roles/caller\tfrom the project, custom role: might not include run.routes.invoke",
    "",
  ]);
  const all = await runWithGcloud(["members", "--all", "--json"], calls);
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
  const dry = await runWithGcloud(["members", "--dry-run"]);
  expect(dry.stdout.trimEnd().split("\n").toSorted()).toEqual(calls.map(({ line }) => `gcloud ${line}`).toSorted());
});

test("members works without the policy of the project, and names the reason that a service is public", async () => {
  const open = structuredClone(KNATIVE_SERVICE) as { metadata: { annotations: Record<string, string> } };
  open.metadata.annotations["run.googleapis.com/invoker-iam-disabled"] = "true";
  const denied = "ERROR: (gcloud.projects.get-iam-policy) PERMISSION_DENIED: Permission 'resourcemanager.projects.getIamPolicy' denied";
  const calls = (service: object, policy: string) => [
    { line: DESCRIBE_CALL.line, stdout: JSON.stringify(service) },
    { line: POLICY_CALL.line, stdout: policy },
    { line: PROJECT_POLICY_CALL.line, stderr: denied, exitCode: 1 },
  ];
  const unchecked = await runWithGcloud(["members", "--json"], calls(open, POLICY_JSON));
  expect(JSON.parse(unchecked.stdout)).toMatchObject({ public: true, invoker_check: false, project_policy_read: false });
  expect(unchecked.stderr).toContain("Warning: You don't have permission to read the IAM policy of project my-project.");
  const allUsers = JSON.stringify({ bindings: [{ role: "roles/run.invoker", members: ["allUsers"] }] });
  const byAllUsers = await runWithGcloud(["members"], calls(KNATIVE_SERVICE, allUsers));
  expect(byAllUsers.stdout).toBe("allUsers\troles/run.invoker\n");
  expect(byAllUsers.stderr).toContain("Public: anyone can invoke this service (allUsers).");
});

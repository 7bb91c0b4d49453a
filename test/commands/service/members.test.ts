import { expect, test } from "vitest";
import { fakeGcloud, KNATIVE_SERVICE, runCli } from "../../helpers/command-line.ts";

const WHERE = "--project my-project --region us-central1 --quiet --format=json";
const env = { PROJECT_ID: "my-project", SERVICE_NAME: "hello" };
const KNATIVE = JSON.stringify(KNATIVE_SERVICE);
const POLICY = JSON.stringify({ bindings: [{ role: "roles/run.invoker", members: ["user:me@example.com"] }], etag: "BwX=" });
const PROJECT_POLICY = JSON.stringify({
  bindings: [
    { role: "roles/owner", members: ["user:owner@example.com", "user:me@example.com"] },
    { role: "roles/viewer", members: ["user:viewer@example.com"] },
    {
      role: "roles/run.invoker",
      members: ["group:night@example.com"],
      condition: { title: "night", expression: "request.time.getHours() < 6" },
    },
    { role: "projects/my-project/roles/caller", members: ["group:own@example.com"] },
  ],
  etag: "BwY=",
});
const ALL_OF_PROJECT = { line: "projects get-iam-policy my-project --quiet --format=json", stdout: PROJECT_POLICY };

test("members are those of the service and those of its project, who may call, and with --all the others too", async () => {
  const calls = [
    { line: `run services describe hello ${WHERE}`, stdout: KNATIVE },
    { line: `run services get-iam-policy hello ${WHERE}`, stdout: POLICY },
    ALL_OF_PROJECT,
  ];
  const { stdout } = await runCli(["members"], { env: { ...env, ...fakeGcloud(...calls) } });
  expect(stdout.split("\n")).toEqual([
    "user:me@example.com\troles/run.invoker",
    "user:owner@example.com\troles/owner\tby the project",
    "user:me@example.com\troles/owner\tby the project",
    "group:night@example.com\troles/run.invoker\tby the project, if night: request.time.getHours() < 6",
    "group:own@example.com\tprojects/my-project/roles/caller\tby the project, a role of your own, which may or may not let call",
    "",
  ]);
  const all = await runCli(["members", "--all", "--json"], { env: { ...env, ...fakeGcloud(...calls) } });
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
  const dry = await runCli(["members", "--dry-run"], { env: { ...env, ...fakeGcloud() } });
  expect(dry.stdout.trimEnd().split("\n").toSorted()).toEqual(calls.map(({ line }) => `gcloud ${line}`).toSorted());
});

test("members does without the project's where they may not be read, and says who lets everybody call", async () => {
  const open = structuredClone(KNATIVE_SERVICE) as { metadata: { annotations: Record<string, string> } };
  open.metadata.annotations["run.googleapis.com/invoker-iam-disabled"] = "true";
  const denied = "ERROR: (gcloud.projects.get-iam-policy) PERMISSION_DENIED: Permission 'resourcemanager.projects.getIamPolicy' denied";
  const calls = (service: object, policy: string) =>
    fakeGcloud(
      { line: `run services describe hello ${WHERE}`, stdout: JSON.stringify(service) },
      { line: `run services get-iam-policy hello ${WHERE}`, stdout: policy },
      { line: ALL_OF_PROJECT.line, stderr: denied, exitCode: 1 },
    );
  const unchecked = await runCli(["members", "--json"], { env: { ...env, ...calls(open, POLICY) } });
  expect(JSON.parse(unchecked.stdout)).toMatchObject({ public: true, invoker_check: false, project_policy_read: false });
  expect(unchecked.stderr).toContain("warning: You may not read what project my-project grants");
  const everybody = JSON.stringify({ bindings: [{ role: "roles/run.invoker", members: ["allUsers"] }] });
  const byAllUsers = await runCli(["members"], { env: { ...env, ...calls(KNATIVE_SERVICE, everybody) } });
  expect(byAllUsers.stdout).toBe("allUsers\troles/run.invoker\n");
  expect(byAllUsers.stderr).toContain("Everybody may call it, by allUsers.");
});

const REMOVAL = `run services remove-iam-policy-binding hello --member user:me@example.com --role roles/run.invoker --condition=None ${WHERE}`;

test("revoke takes the role back, and says what the project gives yet", async () => {
  const argv = ["revoke", "--member", "me@example.com"];
  const path = fakeGcloud({ line: REMOVAL, stdout: JSON.stringify({ etag: "BwZ=" }) }, ALL_OF_PROJECT);
  const { exitCode, stdout, stderr } = await runCli([...argv, "--json"], { env: { ...env, ...path } });
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { bindings: [], still_granted_by_project: "roles/owner" }]);
  expect(stderr).toContain("gcloud projects remove-iam-policy-binding my-project --member user:me@example.com --role roles/owner");
  const dry = await runCli([...argv, "--dry-run"], { env: { ...env, ...fakeGcloud() } });
  expect(dry.stdout).toBe(`gcloud ${REMOVAL}\ngcloud ${ALL_OF_PROJECT.line}\n`);
});

test("revoke is done where somebody else has taken the role back at the same time", async () => {
  const failure = "ERROR: (gcloud.run.services.remove-iam-policy-binding) ";
  const path = fakeGcloud(
    { line: REMOVAL, stderr: `${failure}ABORTED: There were concurrent policy changes. Please retry`, exitCode: 1 },
    { line: REMOVAL, stderr: `${failure}Policy binding with the specified principal, role, and condition not found!`, exitCode: 1 },
    { line: `run services get-iam-policy hello ${WHERE}`, stdout: JSON.stringify({ etag: "BwZ=" }) },
    ALL_OF_PROJECT,
  );
  const { exitCode, stdout } = await runCli(["revoke", "--member", "me@example.com", "--json"], { env: { ...env, ...path } });
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { bindings: [] }]);
});

test("revoke fails where the member has the role by the project only", async () => {
  const stderr =
    "ERROR: (gcloud.run.services.remove-iam-policy-binding) Policy binding with the specified principal, role, and condition not found!";
  const path = fakeGcloud({ line: REMOVAL, stderr, exitCode: 1 }, ALL_OF_PROJECT);
  expect(await runCli(["revoke", "--member", "me@example.com"], { env: { ...env, ...path } })).toMatchObject({
    exitCode: 4,
    stdout: "",
    stderr: expect.stringContaining(
      "error: user:me@example.com has nothing on the service hello itself, but roles/owner on project my-project, which holds for it. [NOT_FOUND]\nhint: gcloud projects remove-iam-policy-binding my-project",
    ),
  });
});

import { expect, test } from "vitest";
import { fakeGcloud, runCli } from "../../helpers/command-line.ts";
import { ENV, PROJECT_POLICY_CALL, WHERE } from "../../helpers/gcloud-service.ts";

const REMOVAL = `run services remove-iam-policy-binding hello --member user:me@example.com --role roles/run.invoker --condition=None ${WHERE}`;

test("revoke removes the role, and warns about a role that the project still grants", async () => {
  const argv = ["revoke", "--member", "me@example.com"];
  const path = fakeGcloud({ line: REMOVAL, stdout: JSON.stringify({ etag: "BwZ=" }) }, PROJECT_POLICY_CALL);
  const { exitCode, stdout, stderr } = await runCli([...argv, "--json"], { env: { ...ENV, ...path } });
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { bindings: [], still_granted_by_project: "roles/owner" }]);
  expect(stderr).toContain("gcloud projects remove-iam-policy-binding my-project --member user:me@example.com --role roles/owner");
  const dry = await runCli([...argv, "--dry-run"], { env: { ...ENV, ...fakeGcloud() } });
  expect(dry.stdout).toBe(`gcloud ${REMOVAL}\ngcloud ${PROJECT_POLICY_CALL.line}\n`);
});

test("revoke succeeds if someone else revokes the role at the same time", async () => {
  const failure = "ERROR: (gcloud.run.services.remove-iam-policy-binding) ";
  const path = fakeGcloud(
    { line: REMOVAL, stderr: `${failure}ABORTED: There were concurrent policy changes. Please retry`, exitCode: 1 },
    { line: REMOVAL, stderr: `${failure}Policy binding with the specified principal, role, and condition not found!`, exitCode: 1 },
    { line: `run services get-iam-policy hello ${WHERE}`, stdout: JSON.stringify({ etag: "BwZ=" }) },
    PROJECT_POLICY_CALL,
  );
  const { exitCode, stdout } = await runCli(["revoke", "--member", "me@example.com", "--json"], { env: { ...ENV, ...path } });
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { bindings: [] }]);
});

test("revoke fails if only the project grants the role", async () => {
  const stderr =
    "ERROR: (gcloud.run.services.remove-iam-policy-binding) Policy binding with the specified principal, role, and condition not found!";
  const path = fakeGcloud({ line: REMOVAL, stderr, exitCode: 1 }, PROJECT_POLICY_CALL);
  expect(await runCli(["revoke", "--member", "me@example.com"], { env: { ...ENV, ...path } })).toMatchObject({
    exitCode: 4,
    stdout: "",
    stderr: expect.stringContaining(
      "Error: user:me@example.com has nothing on the service hello itself, but roles/owner on project my-project, which holds for it. [NOT_FOUND]\n  gcloud projects remove-iam-policy-binding my-project",
    ),
  });
});

import { expect, test } from "vitest";
import { PROJECT_POLICY_CALL, runWithGcloud, WHERE } from "../../helpers/gcloud-service.ts";

const ARGV = ["revoke", "--member", "me@example.com"];
const REMOVAL = `run services remove-iam-policy-binding hello --member user:me@example.com --role roles/run.invoker --condition=None ${WHERE}`;
const FAILURE = "ERROR: (gcloud.run.services.remove-iam-policy-binding) ";
const NOT_FOUND = {
  line: REMOVAL,
  stderr: `${FAILURE}Policy binding with the specified principal, role, and condition not found!`,
  exitCode: 1,
};
const NEXT = "gcloud projects remove-iam-policy-binding my-project --member user:me@example.com --role roles/owner\n";

test("revoke removes the role, and warns about a role that the project still grants", async () => {
  const calls = [{ line: REMOVAL, stdout: JSON.stringify({ etag: "BwZ=" }) }, PROJECT_POLICY_CALL];
  const { exitCode, stdout } = await runWithGcloud([...ARGV, "--json"], calls);
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { bindings: [], still_granted_by_project: "roles/owner" }]);
  const { stderr } = await runWithGcloud(ARGV, calls);
  expect(stderr).toContain("Warning: user:me@example.com can still invoke hello: it has roles/owner on the project.\n");
  expect(stderr).toContain(NEXT);
  const dry = await runWithGcloud([...ARGV, "--dry-run"]);
  expect(dry.stdout).toBe(`gcloud ${REMOVAL}\ngcloud ${PROJECT_POLICY_CALL.line}\n`);
});

test("revoke succeeds if someone else revokes the role at the same time", async () => {
  const { exitCode, stdout } = await runWithGcloud(
    [...ARGV, "--json"],
    [
      { line: REMOVAL, stderr: `${FAILURE}ABORTED: There were concurrent policy changes. Please retry`, exitCode: 1 },
      NOT_FOUND,
      { line: `run services get-iam-policy hello ${WHERE}`, stdout: JSON.stringify({ etag: "BwZ=" }) },
      PROJECT_POLICY_CALL,
    ],
  );
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { bindings: [] }]);
});

test("revoke fails if only the project grants the role", async () => {
  const { exitCode, stdout, stderr } = await runWithGcloud(ARGV, [NOT_FOUND, PROJECT_POLICY_CALL]);
  expect([exitCode, stdout]).toEqual([4, ""]);
  expect(stderr).toContain(
    "Error: user:me@example.com has no role on service hello itself, but has roles/owner on project my-project. [NOT_FOUND]\n",
  );
  expect(stderr).toContain(NEXT);
});

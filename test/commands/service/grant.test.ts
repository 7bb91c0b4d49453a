import { expect, test } from "vitest";
import { ranLine, runOneLine, runWithGcloud, POLICY_CALL, POLICY_JSON, WHERE } from "../../helpers/gcloud-service.ts";

const binding = (member: string, role = "roles/run.invoker") =>
  `run services add-iam-policy-binding hello --member ${member} --role ${role} --condition=None ${WHERE}`;

test.for([
  [["--member", "a@my-project.iam.gserviceaccount.com"], binding("serviceAccount:a@my-project.iam.gserviceaccount.com")],
  [["--member", "a@example.com"], binding("user:a@example.com")],
  [["--member", "group:g@example.com", "--role", "roles/run.viewer"], binding("group:g@example.com", "roles/run.viewer")],
  [["--member", "allUsers", "--yes"], binding("allUsers")],
] as const)("grant %j runs one line of gcloud, which --dry-run prints", async ([argv, line]) => {
  expect(await runOneLine(["grant", ...argv], line, POLICY_JSON)).toEqual(ranLine(line));
});

test("the member is SERVICE_ACCOUNT_EMAIL if none is named", async () => {
  const email = "c@my-project.iam.gserviceaccount.com";
  const calls = [{ line: binding(`serviceAccount:${email}`), stdout: POLICY_JSON }];
  expect(await runWithGcloud(["grant"], calls, { env: { SERVICE_ACCOUNT_EMAIL: email } })).toMatchObject({
    exitCode: 0,
    stdout: `SERVICE\thello\nMEMBER\tserviceAccount:${email}\nROLE\troles/run.invoker\n`,
    stderr: expect.stringMatching(/^✓ Granted roles\/run\.invoker to serviceAccount:c@/),
  });
});

test("grant --wait without the member's own credentials waits until the policy contains the member", async () => {
  const calls = [{ line: binding("user:me@example.com"), stdout: POLICY_JSON }, POLICY_CALL];
  const { exitCode, stdout } = await runWithGcloud(["grant", "--member", "me@example.com", "--wait", "--json"], calls);
  expect([exitCode, JSON.parse(stdout)]).toEqual([
    0,
    {
      service: "hello",
      project: "my-project",
      region: "us-central1",
      member: "user:me@example.com",
      role: "roles/run.invoker",
      bindings: [{ role: "roles/run.invoker", members: ["user:me@example.com"] }],
      waited: { by: "policy", ms: expect.any(Number) },
    },
  ]);
});

test("grant retries after a conflict of policies", async () => {
  const line = binding("group:g@example.com");
  const stderr = "ERROR: (gcloud.run.services.add-iam-policy-binding) ABORTED: There were concurrent policy changes. Please retry";
  const calls = [
    { line, stderr, exitCode: 1 },
    { line, stdout: POLICY_JSON },
  ];
  expect((await runWithGcloud(["grant", "--member", "group:g@example.com"], calls)).exitCode).toBe(0);
});

test.for([
  [["--member", "nobody"], 'Invalid member "nobody".'],
  [[], "No member specified."],
  [["--member", "allUsers"], "Anyone on the internet will have roles/run.invoker on service hello.\nError: Can't ask for confirmation"],
  [["--member", "allAuthenticatedUsers"], "Anyone with a Google account will have roles/run.invoker on service hello.\nError: Can't ask"],
] as const)("grant %j fails before anything runs", async ([argv, message]) => {
  expect(await runWithGcloud(["grant", ...argv])).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(message) });
});

import { expect, test } from "vitest";
import { fakeGcloud, runCli } from "../../helpers/command-line.ts";
import { ENV, ranLine, runOneLine, POLICY_CALL, POLICY_JSON, WHERE } from "../../helpers/gcloud-service.ts";

test.for([
  [
    ["grant", "--member", "a@my-project.iam.gserviceaccount.com"],
    `run services add-iam-policy-binding hello --member serviceAccount:a@my-project.iam.gserviceaccount.com --role roles/run.invoker --condition=None ${WHERE}`,
  ],
  [
    ["grant", "--member", "a@example.com"],
    `run services add-iam-policy-binding hello --member user:a@example.com --role roles/run.invoker --condition=None ${WHERE}`,
  ],
  [
    ["grant", "--member", "group:g@example.com", "--role", "roles/run.viewer"],
    `run services add-iam-policy-binding hello --member group:g@example.com --role roles/run.viewer --condition=None ${WHERE}`,
  ],
  [
    ["grant", "--member", "allUsers"],
    `run services add-iam-policy-binding hello --member allUsers --role roles/run.invoker --condition=None ${WHERE}`,
  ],
] as const)("%j runs one line of gcloud, which --dry-run prints", async ([argv, line]) => {
  expect(await runOneLine(argv, line, POLICY_JSON)).toEqual(ranLine(line));
});

test("the member is SERVICE_ACCOUNT_EMAIL if none is named", async () => {
  const line = `run services add-iam-policy-binding hello --member serviceAccount:c@my-project.iam.gserviceaccount.com --role roles/run.invoker --condition=None ${WHERE}`;
  const path = fakeGcloud({ line, stdout: POLICY_JSON });
  const { exitCode, stdout } = await runCli(["grant"], {
    env: { ...ENV, ...path, SERVICE_ACCOUNT_EMAIL: "c@my-project.iam.gserviceaccount.com" },
  });
  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout: "SERVICE\thello\nMEMBER\tserviceAccount:c@my-project.iam.gserviceaccount.com\nROLE\troles/run.invoker\n",
  });
});

test("grant --wait without the member's own credentials waits until the policy contains the member", async () => {
  const path = fakeGcloud(
    {
      line: `run services add-iam-policy-binding hello --member user:me@example.com --role roles/run.invoker --condition=None ${WHERE}`,
      stdout: POLICY_JSON,
    },
    POLICY_CALL,
  );
  const { exitCode, stdout } = await runCli(["grant", "--member", "me@example.com", "--wait", "--json"], { env: { ...ENV, ...path } });
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    service: "hello",
    project: "my-project",
    region: "us-central1",
    member: "user:me@example.com",
    role: "roles/run.invoker",
    bindings: [{ role: "roles/run.invoker", members: ["user:me@example.com"] }],
    waited: { by: "policy", ms: expect.any(Number) },
  });
});

test("grant retries after a conflict of policies", async () => {
  const line = `run services add-iam-policy-binding hello --member allUsers --role roles/run.invoker --condition=None ${WHERE}`;
  const stderr = "ERROR: (gcloud.run.services.add-iam-policy-binding) ABORTED: There were concurrent policy changes. Please retry";
  const path = fakeGcloud({ line, stderr, exitCode: 1 }, { line, stdout: POLICY_JSON });
  expect((await runCli(["grant", "--member", "allUsers"], { env: { ...ENV, ...path } })).exitCode).toBe(0);
});

test.for([
  [["grant", "--member", "nobody"], 'Invalid member "nobody".'],
  [["grant"], "No member specified."],
] as const)("%j is refused before anything runs", async ([argv, message]) => {
  const { exitCode, stdout, stderr } = await runCli(argv, { env: { ...ENV, ...fakeGcloud() } });
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toContain(message);
});

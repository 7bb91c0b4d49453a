import { expect, test } from "vitest";
import { fakeGcloud, runCli } from "../../helpers/command-line.ts";
import { openOperator } from "../../helpers/operator.ts";

const { emulator, cli, json } = openOperator();
const ACCOUNT = "a-caller@my-project.iam.gserviceaccount.com";
const WHERE = "--project my-project --quiet --format=json";

test("an account is created once, listed, and deleted with --yes", async () => {
  const account = `new-caller@${emulator().project}.iam.gserviceaccount.com`;
  expect(await json("accounts", "create", "new-caller", "--display-name", "Two words")).toMatchObject({
    account,
    display_name: "Two words",
    created: true,
  });
  const again = await cli(["accounts", "create", "new-caller"]);
  expect(again).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`Service account new-caller already exists`) });
  expect((await cli(["accounts", "list"])).stdout).toContain(`${account}\tenabled\tTwo words\n`);
  expect(await cli(["accounts", "delete", "new-caller"])).toMatchObject({
    exitCode: 2,
    stdout: "",
    stderr: expect.stringContaining("  To confirm, pass --yes.\n"),
  });
  expect(await json("accounts", "delete", "new-caller", "--yes")).toMatchObject({ account, deleted: true });
  expect((await cli(["accounts", "list"])).stdout).not.toContain(account);
});

test.for([
  ["X", 'Invalid service account "X".'],
  ["someone@other-project.iam.gserviceaccount.com", "doesn't belong to project my-project."],
] as const)("accounts create %s is a usage error", async ([name, message]) => {
  const result = await runCli(["accounts", "create", name, "--via", "api"], { env: { PROJECT_ID: "my-project" } });
  expect(result).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(message) });
});

test.for([
  [["create", "a-caller", "--display-name", "Two words"], `iam service-accounts create a-caller --display-name 'Two words' ${WHERE}`],
  [["list"], `iam service-accounts list ${WHERE}`],
  [["delete", ACCOUNT], `iam service-accounts delete ${ACCOUNT} ${WHERE}`],
] as const)("--dry-run of accounts %j prints the line of gcloud", async ([argv, line]) => {
  const { stdout } = await runCli(["accounts", ...argv, "--dry-run"], { env: { PROJECT_ID: "my-project", ...fakeGcloud() } });
  expect(stdout).toBe(`gcloud ${line}\n`);
});

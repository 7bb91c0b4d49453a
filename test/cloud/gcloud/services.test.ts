import { expect, test } from "vitest";
import { fakeGcloud, KNATIVE_SERVICE, runCli } from "../../helpers/command-line.ts";

const WHERE = "--project my-project --region us-central1 --quiet --format=json";
const DESCRIBE = `run services describe hello ${WHERE}`;
const REVISIONS = `run revisions list --service hello ${WHERE}`;
const env = { PROJECT_ID: "my-project", SERVICE_NAME: "hello" };
const KNATIVE = JSON.stringify(KNATIVE_SERVICE);

function revision(name: string, created: string, status = "True") {
  return {
    metadata: { name, creationTimestamp: created },
    status: { conditions: [{ type: "Ready", status, ...(status === "False" && { reason: "Broken", message: "It broke. At once." }) }] },
  };
}

const FOUND = JSON.stringify([
  revision("hello-00001-xyz", "2026-11-01T10:00:00.000Z"),
  revision("hello-00002-abc", "2026-11-02T10:00:00.000Z"),
  revision("hello-00003-bad", "2026-11-03T10:00:00.000Z", "False"),
]);

test.for([
  [["list"], ["run services list --project my-project --quiet --format=json"], `[${KNATIVE}]`],
  [["list", "-r", "us-east1"], ["run services list --project my-project --region us-east1 --quiet --format=json"], "[]"],
  [["env", "list"], [DESCRIBE], KNATIVE],
] as const)("%j is one gcloud command, and --dry-run prints it and runs nothing", async ([argv, [line], stdout]) => {
  expect(await runCli(argv, { env: { ...env, ...fakeGcloud({ line, stdout }) } })).toMatchObject({ exitCode: 0 });
  const dry = await runCli([...argv, "--dry-run"], { env: { ...env, ...fakeGcloud() } });
  expect(dry).toEqual({ exitCode: 0, stdout: `gcloud ${line}\n`, stderr: "" });
});

test("--dry-run prints what a change would run, and runs nothing", async () => {
  const plan = async (...argv: readonly string[]) => {
    const { exitCode, stdout } = await runCli([...argv, "--dry-run"], { env: { ...env, ...fakeGcloud() } });
    expect(exitCode).toBe(0);
    return stdout.trimEnd().split("\n");
  };
  expect(await plan("traffic", "--to", "hello-1=10", "--to", "LATEST=90", "--tag", "next=hello-1", "--remove-tag", "old")).toEqual([
    `gcloud ${DESCRIBE}`,
    `gcloud ${REVISIONS}`,
    `gcloud run services update-traffic hello --to-revisions hello-1=10,LATEST=90 --update-tags next=hello-1 --remove-tags old ${WHERE}`,
  ]);
  expect(await plan("delete")).toEqual([`gcloud run services delete hello ${WHERE}`]);
  expect(await plan("env", "unset", "A", "B")).toEqual([
    `gcloud ${DESCRIBE}`,
    `gcloud run services update hello --remove-env-vars A,B --remove-secrets A,B ${WHERE}`,
  ]);
  expect(await plan("env", "set", "A=it's")).toEqual([
    `gcloud ${DESCRIBE}`,
    `printf %s '{"--update-env-vars":{"A":"it'\\''s"}}' | gcloud run services update hello --flags-file - ${WHERE}`,
  ]);
});

test("a variable's value is never on gcloud's command line", async () => {
  const calls = [
    { line: DESCRIBE, stdout: KNATIVE },
    { line: `run services update hello --flags-file - ${WHERE}`, stdout: KNATIVE },
  ];
  const { exitCode, stderr } = await runCli(["-v", "env", "set", "A=topsecret"], { env: { ...env, ...fakeGcloud(...calls) } });
  expect(exitCode).toBe(0);
  expect(stderr).not.toContain("topsecret");
});

test("a failure of gcloud is ignored if the traffic is as wanted and only the latest revision isn't ready", async () => {
  const line = `run services update-traffic hello --to-revisions hello-00002-abc=100 ${WHERE}`;
  const stderr = "ERROR: (gcloud.run.services.update-traffic) Revision 'hello-00003-bad' is not ready and cannot serve traffic. It broke.";
  const { status } = KNATIVE_SERVICE;
  const after = (percent: number) => ({
    ...KNATIVE_SERVICE,
    status: {
      ...status,
      traffic: [{ revisionName: "hello-00002-abc", percent }],
      conditions: [
        { type: "Ready", status: "False" },
        { type: "RoutesReady", status: "True" },
      ],
    },
  });
  const run = (percent: number) => {
    const calls = [
      { line: DESCRIBE, stdout: KNATIVE },
      { line: REVISIONS, stdout: FOUND },
      { line, stderr, exitCode: 1 },
      { line: DESCRIBE, stdout: JSON.stringify(after(percent)) },
    ];
    return runCli(["traffic", "--to", "hello-00002-abc"], { env: { ...env, ...fakeGcloud(...calls) } });
  };
  expect(await run(100)).toMatchObject({ exitCode: 0, stdout: "100%\thello-00002-abc\t\t\n" });
  expect(await run(50)).toMatchObject({ exitCode: 1, stdout: "" });
});

test("rollback --dry-run prints the change of the traffic, or why nothing changes", async () => {
  const plan = (revisionList: string) => {
    const reads = [
      { line: DESCRIBE, stdout: KNATIVE },
      { line: REVISIONS, stdout: revisionList },
    ];
    return runCli(["rollback", "--dry-run"], { env: { ...env, ...fakeGcloud(...reads) } });
  };
  // Only the failed revision is newer than the one that is serving.
  expect(await plan(FOUND)).toMatchObject({
    stdout: "",
    stderr: expect.stringContaining("Revision hello-00003-bad isn't ready: It broke."),
  });
  const { stdout } = await plan(JSON.stringify((JSON.parse(FOUND) as object[]).slice(0, 2)));
  expect(stdout).toBe(`gcloud run services update-traffic hello --to-revisions hello-00001-xyz=100 ${WHERE}\n`);
});

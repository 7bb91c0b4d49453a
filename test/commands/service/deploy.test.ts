import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { folder } from "../../helpers/command-line.ts";
import { IMAGE, ranLine, runOneLine, runWithGcloud, SERVICE_JSON, WHERE } from "../../helpers/gcloud-service.ts";

const DEPLOY = { line: `run deploy hello --image ${IMAGE} --no-allow-unauthenticated ${WHERE}`, stdout: SERVICE_JSON };
const ACCOUNT = "run@my-project.iam.gserviceaccount.com";

test.for([
  ["deploy", DEPLOY.line],
  ["deploy other --image gcr.io/my-project/x", `run deploy other --image gcr.io/my-project/x --no-allow-unauthenticated ${WHERE}`],
  ["deploy --allow-unauthenticated --yes", `run deploy hello --image ${IMAGE} --allow-unauthenticated ${WHERE}`],
  [
    `deploy --tag next --no-traffic --env A=1 --env B=2 --service-account ${ACCOUNT} -- --memory 1Gi`,
    `run deploy hello --image ${IMAGE} --tag next --no-traffic --update-env-vars A=1,B=2 --service-account ${ACCOUNT} --no-allow-unauthenticated ${WHERE.replace("--format", "--memory 1Gi --format")}`,
  ],
  ["deploy --env LIST=a,b --env C=d;e", DEPLOY.line.replace("--no-allow", "--update-env-vars ^|^LIST=a,b|C=d;e --no-allow")],
  ["-r europe-west1 deploy", DEPLOY.line.replaceAll("us-central1", "europe-west1")],
] as const)("%s runs one line of gcloud, which --dry-run prints", async ([command, line]) => {
  expect(await runOneLine(command.split(" "), line, SERVICE_JSON)).toEqual(ranLine(line));
});

test.for(["", "NAME\n  gcloud run deploy", '"text"', "null"])("output %j of gcloud is GCLOUD_FAILED", async (stdout) => {
  const done = await runWithGcloud(["deploy"], [{ ...DEPLOY, stdout }]);
  expect(done).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining("output isn't JSON. [GCLOUD_FAILED]\n") });
});

test("on GitHub Actions, deploy sets outputs and writes a summary", async () => {
  const directory = folder({ output: "", summary: "" });
  const actions = { GITHUB_ACTIONS: "true", GITHUB_OUTPUT: `${directory}/output`, GITHUB_STEP_SUMMARY: `${directory}/summary` };
  await runWithGcloud(["deploy"], [DEPLOY], { env: actions });
  const output = readFileSync(actions.GITHUB_OUTPUT, "utf8");
  const read = Object.fromEntries([...output.matchAll(/^(\w+)<<(\S+)\n([\s\S]*?)\n\2$/gm)].map(([, name, , value]) => [name, value]));
  expect(read).toEqual({
    url: "https://hello-abc123-uc.a.run.app",
    revision: "hello-00002-abc",
    image: "us-central1-docker.pkg.dev/my-project/apps/hello",
  });
  expect(readFileSync(actions.GITHUB_STEP_SUMMARY, "utf8")).toContain(
    "### Deployed hello\n\n| | |\n| --- | --- |\n| url | `https://hello-abc123-uc.a.run.app` |\n",
  );
});

test("gcloud's progress goes to stderr while it runs, without bold type and another URL; --quiet and --json hide it", async () => {
  const progress = "Deploying \u001b[1mhello\u001b[m...\nDone.\nService URL: \u001b[1mhttps://hello-1.us-central1.run.app\u001b[m\n";
  const call = { ...DEPLOY, stderr: progress };
  const shown = await runWithGcloud(["deploy"], [call]);
  expect(shown.stderr).toMatch(/^Deploying hello\.\.\.\nDone\.\n✓ Deployed hello(?: \(.* s\))?\n\nNext steps:\n/);
  expect((await runWithGcloud(["deploy", "--quiet"], [call])).stderr).toBe("");
  expect((await runWithGcloud(["deploy", "--json"], [call])).stderr).not.toContain("Deploying hello...");
});

test.for([
  ["deploy --source . --image gcr.io/my-project/x", "--image and --source can't be used together."],
  ["deploy --env noequals", 'Invalid variable "noequals".'],
  ["deploy --env PORT=1", "Can't set PORT: Cloud Run sets it."],
  ["deploy Bad", 'Invalid service "Bad"'],
  ["deploy --allow-unauthenticated", "Can't ask for confirmation in a non-interactive session."],
  ["deploy -- --allow-unauthenticated", "Anyone on the internet will have roles/run.invoker on service hello."],
  ["-p x deploy", 'Invalid project "x"'],
] as const)("%s fails before anything runs", async ([command, message]) => {
  const done = await runWithGcloud(command.split(" "));
  expect(done).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(message) });
});

import { expect, test } from "vitest";
import { fakeGcloud, folder, runCli } from "../../helpers/command-line.ts";

const IMAGE = "us-central1-docker.pkg.dev/my-project/cloudrun-oauth/hello";
const env = { PROJECT_ID: "my-project", SERVICE_NAME: "hello" };
const BUILD = {
  id: "b1c2",
  status: "SUCCESS",
  logUrl: "https://console.cloud.google.com/cloud-build/builds/b1c2",
  startTime: "2026-11-23T12:00:00Z",
  finishTime: "2026-11-23T12:00:30.5Z",
  results: { images: [{ name: IMAGE, digest: "sha256:0123" }] },
};
const END = "--quiet --format=json";
const DESCRIBE = `artifacts repositories describe cloudrun-oauth --location us-central1 --project my-project ${END}`;
const CREATE = `artifacts repositories create cloudrun-oauth --repository-format=docker --location us-central1 --project my-project ${END}`;
const NOT_FOUND = { stderr: "ERROR: (gcloud.artifacts.repositories.describe) NOT_FOUND: Requested entity was not found.", exitCode: 1 };
const submit = (directory: string, image = IMAGE) =>
  `builds submit ${directory} --tag ${image} --project my-project --region global ${END}`;

test("build pushes the image to the repository, which it creates if necessary", async () => {
  const cwd = folder({ Dockerfile: "FROM node:22-slim\n" });
  const log = 'REMOTE BUILD OUTPUT\n{\n  "a log may hold JSON": true\n}\nDONE\n';
  const path = fakeGcloud(
    { line: DESCRIBE, ...NOT_FOUND },
    { line: CREATE, stdout: "{}" },
    { line: submit(cwd), stdout: `${log}${JSON.stringify(BUILD, null, 2)}\n` },
  );
  const { exitCode, stdout, stderr } = await runCli(["build"], { cwd, env: { ...env, ...path } });
  expect(exitCode).toBe(0);
  expect(stdout).toBe(`IMAGE\t${IMAGE}\nDIGEST\tsha256:0123\nBUILD\tb1c2\nLOG\t${BUILD.logUrl}\n`);
  expect(stderr).toMatch(/^Building hello…\nREMOTE BUILD OUTPUT\n{\n {2}"a log may hold JSON": true\n}\nDONE\n✓ Built hello /);
});

test("--json prints the build as one document", async () => {
  const cwd = folder({ Dockerfile: "FROM node:22-slim\n" });
  const path = fakeGcloud({ line: DESCRIBE, stdout: "{}" }, { line: submit(cwd), stdout: JSON.stringify(BUILD, null, 2) });
  const { stdout } = await runCli(["build", "--json"], { cwd, env: { ...env, ...path } });
  expect(JSON.parse(stdout)).toEqual({ id: "b1c2", image: IMAGE, digest: "sha256:0123", log_url: BUILD.logUrl, duration: 30.5 });
});

test("build accepts gcr.io, where no repository has to be created", async () => {
  const cwd = folder({ "app/Dockerfile": "FROM node:22-slim\n" });
  const path = fakeGcloud({ line: submit(`${cwd}/app`, "gcr.io/my-project/hello"), stdout: JSON.stringify(BUILD, null, 2) });
  expect((await runCli(["build", "app", "--image", "gcr.io/my-project/hello"], { cwd, env: { ...env, ...path } })).exitCode).toBe(0);
});

test("output of gcloud without the build's JSON is GCLOUD_FAILED", async () => {
  const cwd = folder({ Dockerfile: "FROM node:22-slim\n" });
  const path = fakeGcloud({ line: DESCRIBE, stdout: "{}" }, { line: submit(cwd), stdout: "REMOTE BUILD OUTPUT\nDONE\n" });
  const done = await runCli(["build"], { cwd, env: { ...env, ...path } });
  expect(done).toMatchObject({ exitCode: 1, stdout: "" });
  expect(done.stderr).toContain("gcloud succeeded, but its output isn't JSON. [GCLOUD_FAILED]");
});

test("flags after -- go to gcloud; through the API, the known ones work", async () => {
  const cwd = folder({ Dockerfile: "FROM node:22-slim\n" });
  const flags = ["--", "--timeout", "30m", "--machine-type=e2-highcpu-8", "--disk-size", "200GB"];
  const path = fakeGcloud(
    { line: DESCRIBE, stdout: "{}" },
    { line: submit(cwd).replace("--format", `${flags.slice(1).join(" ")} --format`), stdout: JSON.stringify(BUILD, null, 2) },
  );
  expect((await runCli(["build", ...flags], { cwd, env: { ...env, ...path } })).exitCode).toBe(0);

  const run = (...rest: readonly string[]) => runCli(["build", "--via", "api", "--dry-run", "--json", "--", ...rest], { cwd, env });
  const { dry_run } = JSON.parse((await run(...flags.slice(1))).stdout);
  expect(dry_run.at(-1)).toContain('"timeout":"1800s","options":{"machineType":"E2_HIGHCPU_8","diskSizeGb":"200"}');
  for (const [rest, said] of [
    [["--pack"], "--pack requires gcloud, but this build uses Google's API."],
    [["--timeot", "1m"], "Did you mean --timeout?"],
    [["--timeout"], "--timeout requires a value."],
    [["--timeout", "soon"], 'Invalid duration "soon" for --timeout.'],
    [["--async"], "build doesn't support --async."],
  ] as const)
    expect(await run(...rest)).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(said) });
});

test("build does not create a repository that the user names", async () => {
  const cwd = folder({ Dockerfile: "FROM node:22-slim\n" });
  const path = fakeGcloud({ line: DESCRIBE.replace("cloudrun-oauth", "appz"), ...NOT_FOUND });
  const { exitCode, stderr } = await runCli(["build", "--image", IMAGE.replace("cloudrun-oauth", "appz")], {
    cwd,
    env: { ...env, ...path },
  });
  expect(exitCode).toBe(4);
  expect(stderr).toContain('Error: Repository "appz" not found in us-central1 of project my-project.');
});

test("a build that succeeds is a success even if its log cannot be streamed", async () => {
  const cwd = folder({ Dockerfile: "FROM node:22-slim\n" });
  const stderr = [
    "Created [https://cloudbuild.googleapis.com/v1/projects/my-project/locations/global/builds/0c1d2e3f-1111-2222-3333-444455556666].",
    "ERROR: (gcloud.builds.submit) ",
    "The build is running, and logs are being written to the default logs bucket.",
    "This tool can only stream logs if you are Viewer/Owner of the project and, if applicable, allowed by your VPC-SC security policy.",
  ].join("\n");
  const path = fakeGcloud(
    { line: DESCRIBE, stdout: "{}" },
    { line: submit(cwd), stderr, exitCode: 1 },
    {
      line: `builds describe 0c1d2e3f-1111-2222-3333-444455556666 --project my-project --region global ${END}`,
      stdout: JSON.stringify(BUILD),
    },
  );
  const result = await runCli(["build", "--json"], { cwd, env: { ...env, ...path } });
  expect(result.exitCode).toBe(0);
  expect(result.stderr).toContain("Warning: gcloud can't read the build log. The build is still running.");
});

test("a build that fails is a failure if its log cannot be streamed, too", async () => {
  const cwd = folder({ Dockerfile: "FROM node:22-slim\n" });
  const stderr =
    "Created [https://cloudbuild.googleapis.com/v1/projects/my-project/locations/global/builds/0c1d2e3f].\nERROR: (gcloud.builds.submit) This tool can only stream logs if you are Viewer/Owner of the project";
  const path = fakeGcloud(
    { line: DESCRIBE, stdout: "{}" },
    { line: submit(cwd), stderr, exitCode: 1 },
    {
      line: `builds describe 0c1d2e3f --project my-project --region global ${END}`,
      stdout: JSON.stringify({ ...BUILD, status: "FAILURE" }),
    },
  );
  const result = await runCli(["build"], { cwd, env: { ...env, ...path } });
  expect([result.exitCode, result.stdout]).toEqual([1, ""]);
  expect(result.stderr).toContain("Error: Build failed. [BUILD_FAILED]\n  Build log: https://console");
});

test("--dry-run prints every line and runs none", async () => {
  const cwd = folder({ Dockerfile: "FROM node:22-slim\n" });
  const { exitCode, stdout } = await runCli(["build", "--dry-run"], { cwd, env: { ...env, ...fakeGcloud() } });
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `gcloud ${DESCRIBE}\ngcloud ${CREATE}\ngcloud ${submit(cwd)}\n` });
});

test.for([
  ["", "Directory not found: missing"],
  ["empty", "No Dockerfile in empty."],
])("a folder that is not there or holds no Dockerfile is refused before anything runs: %j", async ([name, message]) => {
  const cwd = folder({ "empty/.keep": "" });
  const { exitCode, stderr } = await runCli(["build", name || "missing"], { cwd, env: { ...env, ...fakeGcloud() } });
  expect(exitCode).toBe(4);
  expect(stderr).toContain(message);
});

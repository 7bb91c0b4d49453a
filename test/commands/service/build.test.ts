import { expect, test } from "vitest";
import { folder, type ExpectedCall } from "../../helpers/command-line.ts";
import { IMAGE, runWithGcloud } from "../../helpers/gcloud-service.ts";

const BUILD = {
  id: "b1c2",
  status: "SUCCESS",
  logUrl: "https://console.cloud.google.com/cloud-build/builds/b1c2",
  startTime: "2026-11-23T12:00:00Z",
  finishTime: "2026-11-23T12:00:30.5Z",
  results: { images: [{ name: IMAGE, digest: "sha256:0123" }] },
};
const BUILT = JSON.stringify(BUILD, null, 2);
const END = "--quiet --format=json";
const DESCRIBE = `artifacts repositories describe cloudrun-oauth --location us-central1 --project my-project ${END}`;
const CREATE = `artifacts repositories create cloudrun-oauth --repository-format=docker --location us-central1 --project my-project ${END}`;
const FOUND = { line: DESCRIBE, stdout: "{}" };
const NOT_FOUND = { stderr: "ERROR: (gcloud.artifacts.repositories.describe) NOT_FOUND: Requested entity was not found.", exitCode: 1 };
const submit = (directory: string, image = IMAGE) =>
  `builds submit ${directory} --tag ${image} --project my-project --region global ${END}`;

/** Runs `build` in a folder with a Dockerfile; gcloud expects these calls, and the one that submits the build. */
async function build(
  argv: readonly string[],
  calls: readonly ExpectedCall[],
  submitted: Omit<ExpectedCall, "line"> & { line?: string } = {},
) {
  const cwd = folder({ Dockerfile: "FROM node:22-slim\n" });
  const submission = { ...submitted, line: submitted.line?.replace("CWD", cwd) ?? submit(cwd) };
  return runWithGcloud(["build", ...argv], [...calls, submission], { cwd });
}

test("build pushes the image to the repository, which it creates if necessary", async () => {
  const log = 'REMOTE BUILD OUTPUT\n{\n  "a log may hold JSON": true\n}\nDONE\n';
  const calls = [
    { line: DESCRIBE, ...NOT_FOUND },
    { line: CREATE, stdout: "{}" },
  ];
  const { exitCode, stdout, stderr } = await build([], calls, { stdout: `${log}${BUILT}\n` });
  expect([exitCode, stdout]).toEqual([0, `IMAGE\t${IMAGE}\nDIGEST\tsha256:0123\nBUILD\tb1c2\nLOG\t${BUILD.logUrl}\n`]);
  expect(stderr).toMatch(/^Building hello…\nREMOTE BUILD OUTPUT\n{\n {2}"a log may hold JSON": true\n}\nDONE\n✓ Built hello/);
  expect(stderr).toContain("Next steps:\n  To deploy the image:\n    cloudrun-oauth deploy hello\n");
});

test("--json prints the build as one document", async () => {
  const { stdout } = await build(["--json"], [FOUND], { stdout: BUILT });
  expect(JSON.parse(stdout)).toEqual({ id: "b1c2", image: IMAGE, digest: "sha256:0123", log_url: BUILD.logUrl, duration: 30.5 });
});

test("build accepts gcr.io, where no repository must be created", async () => {
  const argv = ["--image", "gcr.io/my-project/hello"];
  expect((await build(argv, [], { line: submit("CWD", "gcr.io/my-project/hello"), stdout: BUILT })).exitCode).toBe(0);
});

test("output of gcloud without the build's JSON is GCLOUD_FAILED", async () => {
  const done = await build([], [FOUND], { stdout: "REMOTE BUILD OUTPUT\nDONE\n" });
  expect(done).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining("[GCLOUD_FAILED]") });
});

test("flags after -- go to gcloud; through the API, the known ones work", async () => {
  const flags = ["--timeout", "30m", "--machine-type=e2-highcpu-8", "--disk-size", "200GB"];
  const line = submit("CWD").replace("--format", `${flags.join(" ")} --format`);
  expect((await build(["--", ...flags], [FOUND], { line, stdout: BUILT })).exitCode).toBe(0);

  const cwd = folder({ Dockerfile: "" });
  const plan = (...rest: readonly string[]) => runWithGcloud(["build", "--via", "api", "--dry-run", "--json", "--", ...rest], [], { cwd });
  const { dry_run } = JSON.parse((await plan(...flags)).stdout);
  expect(dry_run.at(-1)).toContain('"timeout":"1800s","options":{"machineType":"E2_HIGHCPU_8","diskSizeGb":"200"}');
  for (const [rest, message] of [
    [["--pack"], "--pack requires gcloud, but this build uses Google's API."],
    [["--timeot", "1m"], "Did you mean --timeout?"],
    [["--timeout"], "--timeout requires a value."],
    [["--timeout", "soon"], 'Invalid duration "soon" for --timeout.'],
    [["--async"], "build doesn't support --async."],
  ] as const)
    expect(await plan(...rest)).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(message) });
});

test("build does not create a repository that the user names", async () => {
  const call = { line: DESCRIBE.replace("cloudrun-oauth", "appz"), ...NOT_FOUND };
  const cwd = folder({ Dockerfile: "" });
  const done = await runWithGcloud(["build", "--image", IMAGE.replace("cloudrun-oauth", "appz")], [call], { cwd });
  expect(done).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('Repository "appz" not found') });
});

test.for([
  ["SUCCESS", 0, "Warning: gcloud can't read the build log. The build is still running."],
  ["FAILURE", 1, "[BUILD_FAILED]"],
] as const)("if its log can't be streamed, a build ends with its own status %s", async ([status, exitCode, message]) => {
  const id = "0c1d2e3f-1111-2222-3333-444455556666";
  const stderr = [
    `Created [https://cloudbuild.googleapis.com/v1/projects/my-project/locations/global/builds/${id}].`,
    "ERROR: (gcloud.builds.submit) ",
    "The build is running, and logs are being written to the default logs bucket.",
    "This tool can only stream logs if you are Viewer/Owner of the project and, if applicable, allowed by your VPC-SC security policy.",
  ].join("\n");
  const describe = {
    line: `builds describe ${id} --project my-project --region global ${END}`,
    stdout: JSON.stringify({ ...BUILD, status }),
  };
  const done = await build([], [FOUND, describe], { stderr, exitCode: 1 });
  expect(done).toMatchObject({ exitCode, stderr: expect.stringContaining(message) });
});

test("--dry-run prints every line and runs none", async () => {
  const cwd = folder({ Dockerfile: "" });
  const { exitCode, stdout } = await runWithGcloud(["build", "--dry-run"], [], { cwd });
  expect([exitCode, stdout]).toEqual([0, `gcloud ${DESCRIBE}\ngcloud ${CREATE}\ngcloud ${submit(cwd)}\n`]);
});

test.for([
  ["missing", "Directory not found: missing"],
  ["empty", "No Dockerfile in empty."],
])("the directory %s without a Dockerfile is refused before anything runs", async ([name = "", message]) => {
  const done = await runWithGcloud(["build", name], [], { cwd: folder({ "empty/.keep": "" }) });
  expect(done).toMatchObject({ exitCode: 4, stderr: expect.stringContaining(message!) });
});

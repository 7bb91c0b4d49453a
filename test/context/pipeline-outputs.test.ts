import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { setOutputs } from "../../src/context/pipeline-outputs.ts";
import { fakeGcloud, folder, KNATIVE_SERVICE, runCli } from "../helpers/command-line.ts";

const DESCRIBED = JSON.stringify(KNATIVE_SERVICE);
const LINE =
  "run deploy hello --image us-central1-docker.pkg.dev/my-project/cloudrun-oauth/hello --no-allow-unauthenticated --project my-project --region us-central1 --quiet --format=json";

test("a deployment adds its outputs to the file for GitLab's report, and on Cloud Build to the step's output", async () => {
  const directory = folder({ report: "CLOUDRUN_OAUTH_DIGEST=sha256:0\n", "outputs/other": "" });
  const env = { PROJECT_ID: "my-project", SERVICE_NAME: "hello", ...fakeGcloud({ line: LINE, stdout: DESCRIBED }) };
  const pipeline = { CLOUDRUN_OAUTH_OUTPUTS: join(directory, "report"), BUILDER_OUTPUT: join(directory, "outputs") };
  expect((await runCli(["deploy"], { env: { ...env, ...pipeline } })).exitCode).toBe(0);
  const outputs = `CLOUDRUN_OAUTH_URL=https://hello-abc123-uc.a.run.app
CLOUDRUN_OAUTH_REVISION=hello-00002-abc
CLOUDRUN_OAUTH_IMAGE=us-central1-docker.pkg.dev/my-project/apps/hello
`;
  expect(readFileSync(pipeline.CLOUDRUN_OAUTH_OUTPUTS, "utf8")).toBe(`CLOUDRUN_OAUTH_DIGEST=sha256:0\n${outputs}`);
  expect(readFileSync(join(directory, "outputs/output"), "utf8")).toBe(outputs);
});

test("a value of several lines becomes one line, so that it can't set another variable", () => {
  const directory = folder();
  setOutputs({ CLOUDRUN_OAUTH_OUTPUTS: join(directory, "report") }, "hello", { image: "a\r\nLD_PRELOAD=b" });
  expect(readFileSync(join(directory, "report"), "utf8")).toBe("CLOUDRUN_OAUTH_IMAGE=a LD_PRELOAD=b\n");
});

test("a file that can't be written is SETTINGS_INVALID; without Cloud Build's folder, no step output is written", () => {
  const directory = folder();
  expect(() => setOutputs({ CLOUDRUN_OAUTH_OUTPUTS: join(directory, "none/report") }, "hello", { url: "x" })).toThrow(
    expect.objectContaining({ code: "SETTINGS_INVALID", message: expect.stringContaining("CLOUDRUN_OAUTH_OUTPUTS") }),
  );
  expect(() => setOutputs({ BUILDER_OUTPUT: join(directory, "none") }, "hello", { url: "x" })).not.toThrow();
});

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SCHEMA_URL } from "../../../src/settings/json-schema.ts";
import { folder, runCli } from "../../helpers/command-line.ts";
import { expectDocumented } from "../../helpers/json-document.ts";
import { RECORDING } from "../../helpers/recording.ts";

/** What npm needs in a build: programs, and access to the package registry. */
const env = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] =>
        /^(PATH|HOME|npm_config_.*|.*_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)$/i.test(entry[0]) && entry[1] !== undefined,
    ),
  ),
  CLOUDRUN_OAUTH_RECORD: RECORDING,
  CLOUDRUN_OAUTH_ENGINE: "process",
};

test("--json prints the whole workflow as one document, and the folder stays", async () => {
  const cwd = folder({ "hello-cloud-run/mine.txt": "", "hello-cloud-run-2/mine.txt": "" });
  const { exitCode, stdout, stderr } = await runCli(["quickstart", "--json", "--via", "api"], { cwd, env });
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
  const image = "us-central1-docker.pkg.dev/cloudrun-local/cloudrun-oauth/hello-cloud-run";
  expect(JSON.parse(stdout)).toEqual({
    service: "hello-cloud-run",
    project: "cloudrun-local",
    region: "us-central1",
    url: expect.stringMatching(/^https:\/\/hello-cloud-run-[\w.-]+\.run\.app$/),
    image,
    revision: expect.stringMatching(/^hello-cloud-run-00001-/),
    member: "serviceAccount:caller@cloudrun-local.iam.gserviceaccount.com",
    refused: { status_code: 403 },
    invoke: { status_code: 200, response: { message: "Hello World from authenticated Cloud Run!" } },
    steps: ["init", "emulator", "build", "deploy", "refuse", "grant", "invoke"].map((name) => ({ name, ms: expect.any(Number) })),
  });
  expectDocumented("quickstart", JSON.parse(stdout));
  expect(JSON.parse(readFileSync(join(cwd, "hello-cloud-run-3", "cloudrun-oauth.json"), "utf8"))).toEqual({
    $schema: SCHEMA_URL,
    service: "hello-cloud-run",
  });
  expect(stderr).toContain("Created hello-cloud-run-3 from the hono template");
});

test.for([
  [["--template", "django"], 'Unknown template "django"'],
  [["--dir", "full"], "isn't empty"],
  [["--service", "No"], 'Invalid service "No"'],
] as const)("quickstart %j fails before an emulator starts", async ([argv, message]) => {
  const cwd = folder({ "full/file": "" });
  const { exitCode, stdout, stderr } = await runCli(["quickstart", ...argv], { cwd, env });
  expect({ exitCode, stdout, files: readdirSync(cwd) }).toEqual({ exitCode: 2, stdout: "", files: ["full"] });
  expect(stderr).toContain(message);
  expect(stderr).not.toContain("Started emulator");
});

test("--dry-run prints commands that have the same effect", async () => {
  const cwd = folder();
  const { exitCode, stdout } = await runCli(["quickstart", "--dry-run"], { cwd });
  expect({ exitCode, files: readdirSync(cwd) }).toEqual({ exitCode: 0, files: [] });
  expect(stdout).toMatch(
    /^cloudrun-oauth init .*\/hello-cloud-run --template hono --service hello-cloud-run\ncloudrun-oauth emulator start/,
  );
});

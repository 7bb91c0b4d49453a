import type * as WorkflowParser from "@actions/workflow-parser";
import { execa } from "execa";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeShape } from "../../../src/emulator/server/recorder.ts";
import { findDeviations } from "../../fidelity/google-apis.ts";
import { bundleFile } from "../../helpers/bundle.ts";
import { folder } from "../../helpers/command-line.ts";
import {
  parsePipeline,
  printPipeline,
  REMOTES,
  SYSTEMS,
  workingCopy,
  type CloudBuildConfig,
  type GitHubWorkflow,
} from "../../helpers/pipelines.ts";

/** Names that YAML would not read as text, and a folder that a shell would split. */
const ODD = ["--service", "on", "--service-account", "runner"];

/** GitHub's own parser. It has to be bundled: it imports JSON in a way that Node doesn't support. */
let parser: Promise<typeof WorkflowParser>;

const bundle = mkdtempSync(join(tmpdir(), "cloudrun-oauth-test-"));
afterAll(() => rmSync(bundle, { recursive: true, force: true }));

beforeAll(async () => {
  parser = import(pathToFileURL(await bundleFile("@actions/workflow-parser", join(bundle, "parser.mjs"))).href);
});

const VALIDATE = { github: findWorkflowErrors, gitlab: findGitLabErrors, cloudbuild: findBuildErrors } as const;

test.for(SYSTEMS)(
  "the pipeline for %s is valid by its system's own schema, also with unusual names",
  { timeout: 60_000 },
  async (system) => {
    const copy = folder({ ...workingCopy(REMOTES[system]), "it's: here/Dockerfile": "FROM scratch\n" });
    const branch = system === "cloudbuild" ? [] : ["--branch", "1.0"];
    const odd = await printPipeline(system, [...ODD, ...branch, "--cwd", join(copy, "it's: here")], copy);
    expect(await VALIDATE[system](odd.text)).toEqual([]);
    expect(await VALIDATE[system]((await printPipeline(system)).text)).toEqual([]);
  },
);

/** Changes that each schema rejects. */
test.for([
  ["github", "  contents: read", "  contents: red"],
  ["github", "        id: deploy", "        idd: deploy"],
  ["github", "steps.deploy.outputs", "stepps.deploy.outputs"],
  ["gitlab", "      aud: ", "      audience: "],
  ["cloudbuild", "timeout: 1800s", "time_out: 1800s"],
  ["cloudbuild", "  logging: CLOUD_LOGGING_ONLY", "  logging: 1"],
] as const)("the schema of %s rejects %s as %s", { timeout: 60_000 }, async ([system, right, wrong]) => {
  const { text } = await printPipeline(system);
  expect(text).toContain(right);
  expect(await VALIDATE[system](text.replace(right, wrong))).not.toEqual([]);
});

test("a workflow can read the code and get an ID token, and nothing else; its action is pinned to a commit", async () => {
  const { permissions, jobs } = parsePipeline<GitHubWorkflow>((await printPipeline("github")).text);
  expect(permissions).toEqual({ contents: "read", "id-token": "write" });
  const actions = jobs.deploy.steps.flatMap(({ uses }) => uses ?? []);
  expect(actions).toEqual([expect.stringMatching(/^actions\/checkout@[0-9a-f]{40}$/)]);
});

async function findWorkflowErrors(text: string): Promise<string[]> {
  const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await parser;
  const { context, value } = parseWorkflow({ name: "deploy.yml", content: text }, new NoOperationTraceWriter());
  if (value) await convertWorkflowTemplate(context, value);
  return context.errors.getErrors().map(({ message }) => message);
}

/** Uses GitLab's schema, which is part of gitlab-ci-local. */
async function findGitLabErrors(text: string): Promise<string[]> {
  const cwd = folder();
  await execa("git", ["init", "--quiet", "--initial-branch", "main"], { cwd });
  await execa("git", ["remote", "add", "origin", REMOTES.gitlab], { cwd });
  writeFileSync(join(cwd, ".gitlab-ci.yml"), text);
  const program = fileURLToPath(new URL("../../../node_modules/gitlab-ci-local/dist/index.js", import.meta.url));
  // gitlab-ci-local needs Node 22 only for this method.
  const union = join(
    folder({ "union.mjs": "Set.prototype.union ??= function (other) { return new Set([...this, ...other]); };\n" }),
    "union.mjs",
  );
  const env = { HOME: folder(), NO_COLOR: "1" };
  const { exitCode, all } = await execa(process.execPath, ["--import", union, program, "--list-all"], {
    cwd,
    env,
    all: true,
    reject: false,
  });
  return exitCode === 0 && all.includes("smoke-test") ? [] : [all];
}

/** Uses Google's API description of a build. */
async function findBuildErrors(text: string): Promise<string[]> {
  const url = "https://cloudbuild.googleapis.com/v1/projects/p/locations/global/builds/id";
  return findDeviations({ method: "GET", url, answer: describeShape(parsePipeline<CloudBuildConfig>(text)) });
}

import { execa } from "execa";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { mergeEnvironment } from "../../src/context/merge-environment.ts";
import { folder, runCli } from "../helpers/command-line.ts";
import { HELLO, startEmulator, tinyService } from "../helpers/emulator.ts";
import { listen } from "../helpers/listen.ts";
import { startOidcIssuer, type OidcIssuer } from "../helpers/oidc-issuer.ts";
import {
  parsePipeline,
  REMOTES,
  workingCopy,
  type CloudBuildConfig,
  type GitHubWorkflow,
  type GitLabPipeline,
  type System,
} from "../helpers/pipelines.ts";
import { assertNoSecrets, assertNoSecretsIn } from "../helpers/secret-scan.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const GREETING = { status_code: 200, response: { message: "Hello World from authenticated Cloud Run!" } };

let emulator: Awaited<ReturnType<typeof startEmulator>>;
let issuer: OidcIssuer;
beforeAll(async () => {
  emulator = await startEmulator(afterAll);
  issuer = await startOidcIssuer(afterAll);
});

/** Asserts that a command succeeded; returns its stdout. */
function succeeded({ exitCode, stdout, stderr }: { exitCode?: number | undefined; stdout: string; stderr: string }): string {
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
  return stdout;
}

/** A repository with a service, its pipeline, and the project's setup for it: `ci` through the API, as the project's owner runs it. */
async function setUp(system: System, service: string, argv: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "cloudrun-oauth-pipeline-"));
  onTestFinished(() => {
    assertNoSecretsIn(folder);
    rmSync(folder, { recursive: true, force: true });
  });
  const [work, home] = [join(folder, "work"), join(folder, "home")];
  for (const [name, text] of Object.entries({ ...workingCopy(REMOTES[system]), ...tinyService(HELLO) })) {
    mkdirSync(dirname(join(work, name)), { recursive: true });
    writeFileSync(join(work, name), text);
  }
  mkdirSync(home);
  const env = mergeEnvironment({ HOME: home, PATH: "" }, emulator.status().environment) as Record<string, string>;
  const ci = async () => {
    const done = await runCli(["ci", system, "--apply", "--json", "--service", service, ...argv], { cwd: work, env });
    return JSON.parse(succeeded(done)) as { file: string; deployer: string; caller: string };
  };
  const made = await ci();
  return { folder, work, home, env, ci, ...made, text: readFileSync(made.file, "utf8") };
}

interface Machine {
  readonly folder: string;
  readonly work: string;
  readonly home: string;
  /** What the CI system sets. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether `npx` is the real one, which takes a second, or one that runs this version only. */
  readonly npm?: boolean;
}

/** A machine of the CI system, which has a shell, Node, the way to the emulator, and no credential. */
function machine({ folder, work, home, env, npm = false }: Machine) {
  const programs = join(home, "bin");
  const own = join(folder, "node_modules");
  rmSync(programs, { recursive: true, force: true });
  mkdirSync(programs);
  if (npm) {
    // As if it had been downloaded, so that npx needs no registry.
    mkdirSync(join(own, ".bin"), { recursive: true });
    symlinkSync(ROOT, join(own, packageJson.name));
    symlinkSync(join("..", packageJson.name, packageJson.bin["cloudrun-oauth"]), join(own, ".bin", packageJson.name));
    onTestFinished(() => rmSync(own, { recursive: true, force: true }));
  } else {
    const wanted = `--yes ${packageJson.name}@${packageJson.version}`;
    const bin = join(ROOT, packageJson.bin["cloudrun-oauth"]);
    writeFileSync(
      join(programs, "npx"),
      `#!/bin/sh\n[ "$1 $2" = "${wanted}" ] || exit 99\nshift 2\nexec "${process.execPath}" "${bin}" "$@"\n`,
    );
    chmodSync(join(programs, "npx"), 0o755);
  }
  const { HTTPS_PROXY, HTTP_PROXY, NO_PROXY, NODE_EXTRA_CA_CERTS } = emulator.status().environment as Record<string, string>;
  const network = { HTTPS_PROXY, HTTP_PROXY, NO_PROXY, NODE_EXTRA_CA_CERTS };
  return async (script: string, more: Readonly<Record<string, string>> = {}) => {
    const PATH = [programs, dirname(process.execPath), process.env["PATH"]].join(delimiter);
    const all = { PATH, HOME: home, CI: "true", npm_config_offline: "true", ...network, ...env, ...more };
    const { exitCode, stdout, stderr } = await execa("sh", ["-e", "-c", script], { cwd: work, env: all, extendEnv: false, reject: false });
    assertNoSecrets({ stdout, stderr });
    return { exitCode, stdout, stderr };
  };
}

/** GitHub's token endpoint for a run of a workflow: https://docs.github.com/actions/reference/security/oidc */
async function openGitHub(claims: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://localhost");
    const isRun = request.headers.authorization === "Bearer of-this-run" && url.searchParams.get("api-version") === "2.0";
    const value = isRun && issuer.token({ aud: url.searchParams.get("audience"), sub: `repo:${claims["repository"]}`, ...claims });
    response.writeHead(isRun ? 200 : 401, { "content-type": "application/json" }).end(JSON.stringify(value ? { value } : {}));
  });
  const url = `http://127.0.0.1:${await listen(server)}/token?api-version=2.0`;
  return { GITHUB_ACTIONS: "true", GITHUB_SHA: COMMIT, ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "of-this-run" };
}

/** The outputs of a step, as GitHub reads its file. */
function readOutputs(file: string): Record<string, string> {
  return Object.fromEntries(
    [...readFileSync(file, "utf8").matchAll(/^(\w+)<<(.+)\n([\s\S]*?)\n\2$/gm)].map(([, name, , value]) => [name, value]),
  );
}

test("the workflow for GitHub builds, deploys and calls with the run's token, for this repository and branch only", async () => {
  const pipeline = await setUp("github", "on-github", ["--issuer", issuer.uri]);
  const { env, jobs } = parsePipeline<GitHubWorkflow>(pipeline.text);
  const own = { repository: "me/hello", ref: "refs/heads/main" };
  const files = { GITHUB_OUTPUT: join(pipeline.home, "output"), GITHUB_STEP_SUMMARY: join(pipeline.home, "summary") };
  const on = async (claims: Readonly<Record<string, string>>, npm = false) =>
    machine({ ...pipeline, npm, env: { ...env, ...files, ...(await openGitHub(claims)) } });

  const [build, deploy, smokeTest] = jobs.deploy.steps.flatMap(({ run, ...step }) => (run === undefined ? [] : [{ run, ...step }]));
  for (const claims of [
    { ...own, repository: "mallory/hello" },
    { ...own, ref: "refs/heads/mine" },
  ]) {
    const refused = await (await on(claims))(deploy?.run ?? "");
    expect(refused).toMatchObject({ exitCode: 3, stdout: "" });
    expect(refused.stderr).toContain("The given credential is rejected by the attribute condition");
    expect(refused.stderr).toContain("::error title=cloudrun-oauth TOKEN_REFUSED::");
  }

  const run = await on(own);
  for (const step of [build, deploy]) succeeded(await (step === build ? await on(own, true) : run)(step?.run ?? ""));
  const widened = await run(`npx --yes ${packageJson.name}@${packageJson.version} grant --member user:mallory@example.com`);
  expect(widened).toMatchObject({ exitCode: 5, stderr: expect.stringContaining("doesn't have the permission run.services.setIamPolicy") });
  const outputs = readOutputs(files.GITHUB_OUTPUT);
  expect(outputs).toMatchObject({ url: expect.stringContaining("https://on-github-"), image: expect.stringContaining(`:${COMMIT}`) });
  expect(outputs).toHaveProperty("digest");
  expect(outputs).toHaveProperty("revision");

  // The first time, the service that the caller gets access to did not exist.
  await pipeline.ci();
  const url = Object.fromEntries(
    Object.entries(smokeTest?.env ?? {}).map(([name, value]) => [
      name,
      value.replace("${{ steps.deploy.outputs.url }}", outputs["url"] ?? ""),
    ]),
  );
  expect(JSON.parse(succeeded(await run(smokeTest?.run ?? "", url)))).toEqual(GREETING);
  expect(readOutputs(files.GITHUB_OUTPUT)).toMatchObject({ status_code: "200" });
  expect(readFileSync(files.GITHUB_STEP_SUMMARY, "utf8")).toMatch(/### Built[\s\S]*### Deployed on-github[\s\S]*### Called on-github-/);
}, 180_000);

test("the pipeline for GitLab builds, deploys and calls with the job's token, for this project only", async () => {
  const pipeline = await setUp("gitlab", "on-gitlab", ["--issuer", issuer.uri]);
  const { variables, deploy, "smoke-test": smokeTest, ".cloud-run": common } = parsePipeline<GitLabPipeline>(pipeline.text);
  const tokens = (claims: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(common.id_tokens).map(([name, { aud }]) => {
        const own = { sub: "project_path:group/sub/hello:ref_type:branch:ref:main", project_path: "group/sub/hello" };
        return [name, issuer.token({ aud, ...own, ref: "main", ref_type: "branch", ...claims })];
      }),
    );
  const system = { ...variables, GITLAB_CI: "true", CI_COMMIT_SHA: COMMIT };
  const job = (env: Readonly<Record<string, string>>) => machine({ ...pipeline, env: { ...system, ...env } });

  const refused = await job(tokens({ project_path: "mallory/hello" }))(deploy.script.join("\n"));
  expect(refused).toMatchObject({ exitCode: 3, stdout: "" });
  expect(refused.stderr).toContain("The given credential is rejected by the attribute condition");

  succeeded(await job(tokens({}))(deploy.script.join("\n")));
  // Someone has deleted the pool, which Google keeps for a month.
  const pools = `/v1/projects/${emulator.project}/locations/global/workloadIdentityPools`;
  const [, pool] = /workloadIdentityPools\/([^/]+)/.exec(variables["CLOUDRUN_OAUTH_WORKLOAD_IDENTITY_PROVIDER"] ?? "") ?? [];
  expect((await emulator.request("DELETE", "iam.googleapis.com", `${pools}/${pool}`)).status).toBe(200);
  await pipeline.ci();
  const report = join(pipeline.work, deploy.artifacts?.reports.dotenv ?? "");
  const brought = Object.fromEntries(
    [...readFileSync(report, "utf8").matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value ?? ""]),
  );
  expect(brought).toMatchObject({ CLOUDRUN_OAUTH_URL: expect.stringContaining("https://on-gitlab-") });
  // The report and nothing else comes from job to job.
  rmSync(report);
  expect(smokeTest.needs).toEqual(["deploy"]);
  expect(JSON.parse(succeeded(await job({ ...tokens({}), ...brought })(smokeTest.script.join("\n"))))).toEqual(GREETING);
}, 180_000);

test("an account that doesn't exist is named at once", async () => {
  const env = mergeEnvironment({ HOME: folder(), PATH: "" }, emulator.status().environment) as Record<string, string>;
  const argv = ["ci", "cloudbuild", "--apply", "--print", "--service", "hello", "--service-account", "nobody-at-all"];
  const { exitCode, stdout, stderr } = await runCli([...argv, "--json"], { env });
  expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: "" });
  expect(stderr).toContain(`Service account nobody-at-all@${emulator.project}.iam.gserviceaccount.com not found.`);
});

/** Responds with the address of the instance's metadata server. */
const WHERE = `require("node:http").createServer((_, response) => response.end(JSON.stringify({ host: process.env.GCE_METADATA_HOST }))).listen(process.env.PORT, "127.0.0.1");`;

test("the configuration for Cloud Build builds, deploys and calls as the account that it runs as", async () => {
  const pipeline = await setUp("cloudbuild", "on-cloudbuild", []);
  const { steps, options, serviceAccount } = parsePipeline<CloudBuildConfig>(pipeline.text);
  expect(serviceAccount).toBe(`projects/${emulator.project}/serviceAccounts/${pipeline.deployer}`);
  const id = crypto.randomUUID();
  const filled = (text: string) => text.replaceAll("$BUILD_ID", id);
  const image = filled(steps[0]?.args?.[2] ?? "");
  expect(await emulator.build(image, tinyService(HELLO))).toMatchObject({ status: "SUCCESS" });

  // An instance that runs as the account has a metadata server, like a build.
  const standIn = `${image}-stand-in`;
  expect(await emulator.build(standIn, tinyService(WHERE))).toMatchObject({ status: "SUCCESS" });
  const runsAs = ["--image", standIn, "--service-account", pipeline.deployer];
  const deployedAs = await runCli(["deploy", "stand-in", "--json", ...runsAs], { env: pipeline.env });
  const { url } = JSON.parse(deployedAs.stdout) as { url: string };
  await emulator.grant("stand-in", `serviceAccount:${pipeline.env["SERVICE_ACCOUNT_EMAIL"]}`);
  const { json } = await emulator.request("GET", new URL(url).host, "/", { token: await emulator.idToken(url) });
  const builder = join(pipeline.home, "outputs");
  mkdirSync(builder);
  const own = Object.fromEntries(options.env.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
  expect(own).toMatchObject({ GCE_METADATA_HOST: "metadata.google.internal" });
  const run = machine({ ...pipeline, env: { ...own, BUILDER_OUTPUT: builder, GCE_METADATA_HOST: String(json["host"]) } });

  const [deploy, smokeTest] = steps.flatMap(({ script, env = [] }) => (script === undefined ? [] : [{ script, env: env.map(filled) }]));
  const variables = Object.fromEntries((deploy?.env ?? []).map((line) => line.split("=") as [string, string]));
  succeeded(await run(deploy?.script ?? "", variables));
  expect(existsSync(join(builder, "output"))).toBe(true);
  await pipeline.ci();
  expect(JSON.parse(succeeded(await run(smokeTest?.script ?? "")))).toEqual(GREETING);
}, 180_000);

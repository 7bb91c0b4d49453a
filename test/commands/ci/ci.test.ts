import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { accountFor, issuerOf, providerFor } from "../../../src/commands/ci/pipeline-names.ts";
import { fakeGcloud, folder, KNATIVE_SERVICE, runCli } from "../../helpers/command-line.ts";
import { parsePipeline, workingCopy, type GitHubWorkflow } from "../../helpers/pipelines.ts";

const env = { PROJECT_ID: "my-project", SERVICE_NAME: "hello" };
const KNOWN = ["--project-number", "123456789012"];
const HERE = workingCopy("git@github.com:me/hello.git");
const FILE = ".github/workflows/deploy.yml";

const DEPLOYER = "hello-deployer@my-project.iam.gserviceaccount.com";
const CALLER = "hello-caller@my-project.iam.gserviceaccount.com";
const COMPUTE = "123456789012-compute@developer.gserviceaccount.com";
const POOL = "projects/123456789012/locations/global/workloadIdentityPools/cloudrun-oauth-github";
const BRANCH = `principalSet://iam.googleapis.com/${POOL}/attribute.branch/me/hello@refs/heads/main`;
const IN = "--project my-project --quiet --format=json";
const PROVIDER = providerFor("github", issuerOf("github", undefined), "me/hello", "main").id;
const OF_POOL = `${PROVIDER} --location global --workload-identity-pool cloudrun-oauth-github`;
const WANTED =
  "--display-name me/hello --issuer-uri https://token.actions.githubusercontent.com --attribute-mapping google.subject=assertion.sub,attribute.branch=assertion.repository + '@' + assertion.ref --attribute-condition assertion.repository == 'me/hello' && assertion.ref == 'refs/heads/main'";

/** The lines of gcloud that set a project up for the pipeline. */
const APIS = `services enable run.googleapis.com cloudbuild.googleapis.com artifactregistry.googleapis.com iam.googleapis.com iamcredentials.googleapis.com sts.googleapis.com ${IN}`;
const REPOSITORY = `artifacts repositories create cloudrun-oauth --repository-format=docker --location us-central1 ${IN}`;
const CREATE_DEPLOYER = `iam service-accounts create hello-deployer --display-name Deploys hello ${IN}`;
const CREATE_CALLER = `iam service-accounts create hello-caller --display-name Calls hello ${IN}`;
const CREATE_POOL = `iam workload-identity-pools create cloudrun-oauth-github --location global --display-name GitHub pipelines ${IN}`;
const CREATE_PROVIDER = `iam workload-identity-pools providers create-oidc ${OF_POOL} ${WANTED} ${IN}`;
const ROLES = [
  `projects add-iam-policy-binding my-project --member serviceAccount:${DEPLOYER} --role roles/run.sourceDeveloper --condition=None --quiet --format=json`,
  ...[
    [COMPUTE, `serviceAccount:${DEPLOYER}`, "roles/iam.serviceAccountUser"],
    [DEPLOYER, BRANCH, "roles/iam.workloadIdentityUser"],
    [CALLER, BRANCH, "roles/iam.serviceAccountOpenIdTokenCreator"],
  ].map(
    ([on, member, role]) => `iam service-accounts add-iam-policy-binding ${on} --member ${member} --role ${role} --condition=None ${IN}`,
  ),
];
const GRANT = `run services add-iam-policy-binding hello --member serviceAccount:${CALLER} --role roles/run.invoker --condition=None --project my-project --region us-central1 --quiet --format=json`;

test("a pipeline is written once, an equal file stays, another file needs --force, and stdout shows what the pipeline needs", async () => {
  const cwd = folder(HERE);
  const run = (...argv: string[]) => runCli(["ci", "github", "--via", "api", ...KNOWN, ...argv], { env, cwd });
  const first = await run();
  expect(first).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`Wrote ${FILE}.`) });
  expect(first.stdout).toMatch(/^POST https:\/\/serviceusage\.googleapis\.com[\s\S]*:setIamPolicy \{.*hello-caller.*\}\n$/);
  const text = readFileSync(join(cwd, FILE), "utf8");
  expect(await run()).toEqual({ ...first, stderr: first.stderr.replace(`Wrote ${FILE}.`, `${FILE} is up to date.`) });

  writeFileSync(join(cwd, FILE), "name: mine\n");
  const kept = await run();
  expect(kept).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("--force") });
  expect(readFileSync(join(cwd, FILE), "utf8")).toBe("name: mine\n");
  expect((await run("--print")).stdout).toBe(text);
  expect(readFileSync(join(cwd, FILE), "utf8")).toBe("name: mine\n");
  expect(await run("--force")).toMatchObject({ exitCode: 0 });
  expect(readFileSync(join(cwd, FILE), "utf8")).toBe(text);
});

test("--dry-run prints the file and the exact lines of gcloud, and neither runs nor writes anything", async () => {
  const cwd = folder(HERE);
  const { exitCode, stdout, stderr } = await runCli(["ci", "github", "--dry-run", "--json", ...KNOWN], {
    env: { ...env, ...fakeGcloud() },
    cwd,
  });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const { dry_run: lines } = JSON.parse(stdout) as { dry_run: string[] };
  const unquoted = lines.map((line) => line.replaceAll("'\\''", "\0").replaceAll("'", "").replaceAll("\0", "'"));
  expect(unquoted).toEqual([
    `write ${join(cwd, FILE)}`,
    ...[APIS, REPOSITORY, CREATE_DEPLOYER, CREATE_CALLER, CREATE_POOL, CREATE_PROVIDER, ...ROLES, GRANT].map((line) => `gcloud ${line}`),
  ]);
  expect(existsSync(join(cwd, FILE))).toBe(false);
  const unknown = await runCli(["ci", "github", "--dry-run"], { env: { ...env, ...fakeGcloud() }, cwd });
  expect(unknown.stdout).toContain("PROJECT_NUMBER-compute@developer.gserviceaccount.com");
});

test("--apply runs those lines: it leaves, changes or restores what exists, and waits for a new account", async () => {
  const there = { exitCode: 1, stderr: "ERROR: (gcloud.x) ALREADY_EXISTS: Requested entity already exists\n" };
  const gcloud = fakeGcloud(
    { line: "projects describe my-project --quiet --format=json", stdout: '{"projectNumber": "123456789012"}' },
    {
      line: "run services describe hello --project my-project --region us-central1 --quiet --format=json",
      stdout: JSON.stringify(KNATIVE_SERVICE),
    },
    { line: APIS },
    { line: REPOSITORY, ...there },
    { line: CREATE_DEPLOYER },
    { line: CREATE_CALLER, ...there },
    { line: CREATE_POOL, ...there },
    { line: `iam workload-identity-pools describe cloudrun-oauth-github --location global ${IN}`, stdout: '{"state": "DELETED"}' },
    { line: `iam workload-identity-pools undelete cloudrun-oauth-github --location global ${IN}` },
    { line: CREATE_PROVIDER, ...there },
    {
      line: `iam workload-identity-pools providers describe ${OF_POOL} ${IN}`,
      stdout: JSON.stringify({ state: "ACTIVE", oidc: { issuerUri: "https://token.actions.githubusercontent.com" }, attributeMapping: {} }),
    },
    { line: CREATE_PROVIDER.replace("create-oidc", "update-oidc") },
    { line: ROLES[0] ?? "", exitCode: 1, stderr: `ERROR: (gcloud.x) INVALID_ARGUMENT: Service account ${DEPLOYER} does not exist.\n` },
    { line: ROLES[0] ?? "" },
    // The account that the service runs as, and the one that Cloud Build builds as.
    { line: (ROLES[1] ?? "").replace(COMPUTE, "runner@my-project.iam.gserviceaccount.com") },
    ...ROLES.slice(1).map((line) => ({ line })),
    { line: GRANT, stdout: '{"bindings": [], "etag": "BwX="}' },
  );
  const { exitCode, stdout, stderr } = await runCli(["ci", "github", "--apply", "--json"], {
    env: { ...env, ...gcloud },
    cwd: folder(HERE),
  });
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
  const { applied, setup: _, file, ...rest } = JSON.parse(stdout);
  expect(applied.map(({ outcome }: { outcome: string }) => outcome)).toEqual(
    "enabled there made there changed changed granted granted granted granted granted granted".split(" "),
  );
  expect(file).toMatch(/\/\.github\/workflows\/deploy\.yml$/);
  expect(rest).toEqual({
    system: "github",
    written: true,
    project: "my-project",
    project_number: "123456789012",
    service: "hello",
    repository: "me/hello",
    branch: "main",
    provider: `${POOL}/providers/${PROVIDER}`,
    deployer: DEPLOYER,
    caller: CALLER,
  });
});

test("a service in a folder of the repository is built in that folder; the pipeline is at the root", async () => {
  const cwd = folder({ ...HERE, "services/hello/Dockerfile": "FROM scratch\n" });
  await runCli(["ci", "github", "--via", "api", ...KNOWN, "-C", "services/hello"], { env, cwd });
  const { jobs } = parsePipeline<GitHubWorkflow>(readFileSync(join(cwd, FILE), "utf8"));
  expect(jobs.deploy.steps.find(({ name }) => name === "Build")?.run).toMatch(/ build services\/hello --image /);
});

test.for([
  ["git@github.com:me/hello.git", "github", "me/hello"],
  ["https://user:secret@github.com/me/hello", "github", "me/hello"],
  ["ssh://git@github.com:22/me/hello.git/", "github", "me/hello"],
  ["https://gitlab.example.com:8443/a/b/c.git", "gitlab", "a/b/c"],
] as const)("the remote %s is the repository %s %s", async ([remote, system, repository]) => {
  const { stdout, stderr } = await runCli(["ci", system, "--via", "api", "--json", ...KNOWN], {
    env,
    cwd: folder(workingCopy(remote, "trunk")),
  });
  expect(JSON.parse(stdout)).toMatchObject({ repository, branch: "trunk" });
  expect(stdout + stderr).not.toContain("secret");
});

test("a linked work tree has its repository's remote and default branch", async () => {
  const cwd = folder({
    ...Object.fromEntries(Object.entries(HERE).map(([name, text]) => [`main/${name}`, text])),
    "main/.git/refs/remotes/origin/HEAD": "ref: refs/remotes/origin/develop\n",
    "main/.git/worktrees/other/HEAD": "ref: refs/heads/mine\n",
    "main/.git/worktrees/other/commondir": "../..\n",
  });
  const other = folder({ ".git": `gitdir: ${join(cwd, "main/.git/worktrees/other")}\n` });
  const { stdout } = await runCli(["ci", "github", "--via", "api", "--json", ...KNOWN], { env, cwd: other });
  expect(JSON.parse(stdout)).toMatchObject({ repository: "me/hello", branch: "develop" });
});

test.for([
  [["github"], {}, 'Git remote "origin" not found in this directory.'],
  [["github"], workingCopy("git@gitlab.com:a/b.git"), "The repository a/b is on GitLab."],
  [["github", "--repo", "a/b/c"], {}, 'Invalid --repo "a/b/c". Use OWNER/NAME.'],
  [["github", "--branch", "it's"], HERE, 'Invalid --branch "it\'s".'],
  [["github", "--deployer", "Me"], HERE, 'Invalid --deployer "Me".'],
  [["github", "--deployer", "robot-one", "--caller", "robot-one"], HERE, "--deployer and --caller must be different accounts."],
  [["gitlab", "--repo", "a/b", "--issuer", "gitlab.example.com"], {}, 'Invalid issuer "gitlab.example.com".'],
  [["cloudbuild", "--project-number", "my-project"], {}, 'Invalid --project-number "my-project". Use a number.'],
] as const)("%j fails, names the value, and writes nothing", async ([argv, files, message]) => {
  const cwd = folder(files);
  const { exitCode, stdout, stderr } = await runCli(["ci", ...argv, "--via", "api", "--json"], { env, cwd });
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  const { error } = JSON.parse(stderr.trim().split("\n").at(-1) ?? "");
  expect(error).toMatchObject({ code: "USAGE", message: expect.stringContaining(message) });
  for (const file of [FILE, ".gitlab-ci.yml", "cloudbuild.yaml"]) expect(existsSync(join(cwd, file))).toBe(false);
});

test("if the project's number cannot be read, the hint names the flag for it", async () => {
  const { exitCode, stderr } = await runCli(["ci", "github", "--via", "api"], { env, cwd: folder(HERE) });
  expect(exitCode).toBe(3);
  expect(stderr).toContain("pass --project-number.");
});

test("a key file in cloudrun-oauth.json, which a pipeline would look for, causes a warning", async () => {
  const cwd = folder({ ...HERE, "cloudrun-oauth.json": '{"credentials": "caller.json"}' });
  const { stderr } = await runCli(["ci", "github", "--via", "api", ...KNOWN], { env, cwd });
  expect(stderr).toContain("Warning: cloudrun-oauth.json sets credentials");
});

test("names are short enough for Google, and no two repositories, branches or issuers share a provider", () => {
  const long = "a-service-whose-name-is-as-long-as-may-be-in-all-of-";
  for (const part of ["deployer", "caller"] as const) {
    const [id = ""] = accountFor("my-project", long, part).split("@");
    expect(id).toMatch(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/);
    expect(id).not.toBe(accountFor("my-project", `${long}b`, part).split("@")[0]);
  }
  expect(accountFor("example.com:my-project", "hello", "caller")).toBe("hello-caller@my-project.example.com.iam.gserviceaccount.com");
  const [usual, own] = [issuerOf("gitlab", "gitlab.com"), issuerOf("gitlab", "gitlab.example.com")];
  const providers = [
    providerFor("gitlab", usual, "a-b/c", "main"),
    providerFor("gitlab", usual, "a/b-c", "main"),
    providerFor("gitlab", usual, "a/b-c", "next"),
    providerFor("gitlab", own, "a/b-c", "next"),
    providerFor("gitlab", own, `${"group/".repeat(20)}x`, "next"),
  ];
  const names = providers.map(({ pool, id }) => `${pool}/${id}`);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z0-9-]{4,32}\/[a-z0-9-]{4,32}$/);
  expect(providers[2]?.pool).not.toBe(providers[3]?.pool);
});

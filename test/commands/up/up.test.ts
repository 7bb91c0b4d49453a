import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fakeGcloud, folder, KNATIVE_SERVICE, runCli } from "../../helpers/command-line.ts";
import { sendAdmin } from "../../helpers/admin.ts";
import { operate } from "../../helpers/emulator.ts";
import { mergeEnvironment } from "../../../src/context/merge-environment.ts";
import { CliError } from "../../../src/errors/cli-error.ts";
import { createEmulator } from "../../../src/emulator/index.ts";
import { grantLabel } from "../../../src/commands/up/ownership-labels.ts";
import { SERVER, stepsOf, upFiles, upFolder } from "../../helpers/up.ts";

const CALLER = "serviceAccount:caller@cloudrun-local.iam.gserviceaccount.com";
const REPOSITORY = "us-central1-docker.pkg.dev/cloudrun-local/cloudrun-oauth";

let emulator: Awaited<ReturnType<typeof createEmulator>>;
let record: string;
beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), "cloudrun-oauth-emulator-"));
  record = join(directory, "record");
  emulator = await createEmulator({ directory, port: 0, engine: "process", env: process.env, log: () => {}, record });
}, 60_000);
afterAll(() => emulator.remove());

/** The command line as the emulator's operator has it, without gcloud. */
function run(argv: readonly string[], { env, ...world }: Parameters<typeof runCli>[1] = {}) {
  const here = mergeEnvironment({ PATH: "" }, emulator.status().environment) as Record<string, string>;
  return runCli(["--via", "api", ...argv], { ...world, env: { ...here, ...env } });
}

async function json(argv: readonly string[], world?: Parameters<typeof runCli>[1]) {
  const { exitCode, stdout, stderr } = await run(["--json", ...argv], world);
  if (exitCode !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const port = () => Number(new URL(emulator.status().url).port);

/** What the emulator was asked since the last time, as `METHOD URL`. */
function asked(): string[] {
  const lines = readFileSync(record, "utf8").split("\n").filter(Boolean);
  writeFileSync(record, "");
  return lines.map((line) => JSON.parse(line)).map(({ method, url }) => `${method} ${url}`);
}

test("an unchanged folder makes three reading requests and nothing else, and what was touched is not what was changed", async () => {
  const home = folder();
  const cwd = upFolder("same");
  const first = await json(["up"], { cwd, env: { HOME: home } });
  asked();
  // The same files at another time and place.
  const again = await json(["up"], { cwd: upFolder("same"), env: { HOME: home } });
  const lines = asked();
  expect(lines.filter((line) => !line.startsWith("GET "))).toEqual(["POST https://oauth2.googleapis.com/token"]);
  expect(lines.filter((line) => line.startsWith("GET "))).toHaveLength(3);
  expect({ ...again, steps: [] }).toEqual({ ...first, steps: [] });
  expect(stepsOf(again)).toEqual(["look", "refuse", "invoke"]);
}, 60_000);

test("--plan says step by step what would change, and changes nothing", async () => {
  const cwd = upFolder("planned");
  asked();
  const { steps, ...plan } = await json(["up", "--plan"], { cwd });
  expect(plan).toEqual({
    service: "planned",
    project: "cloudrun-local",
    region: "us-central1",
    image: expect.stringMatching(/^us-central1-docker\.pkg\.dev\/cloudrun-local\/cloudrun-oauth\/planned:src-[0-9a-f]{32}$/),
    changes: 3,
  });
  expect(steps.map(({ name, change }: { name: string; change: boolean }) => [name, change])).toEqual([
    ["build", true],
    ["deploy", true],
    ["refuse", false],
    ["grant", true],
    ["promote", false],
    ["invoke", false],
  ]);
  expect(steps[1]).toMatchObject({
    why: "there is no service planned yet",
    lines: expect.arrayContaining([expect.stringMatching(/^POST .*src-/)]),
  });
  expect(asked().filter((line) => !line.startsWith("GET "))).toEqual(["POST https://oauth2.googleapis.com/token"]);
  const { stdout } = await run(["up", "--plan"], { cwd });
  expect(stdout).toContain("deploy\tchange\tthere is no service planned yet\n");
}, 60_000);

test("a candidate that fails its check gets no traffic, whatever comes after it, until one passes", async () => {
  const cwd = upFolder("checked");
  const { revision } = await json(["up", "--check", "/good"], { cwd });
  writeFileSync(join(cwd, "server.js"), `${SERVER}// next\n`);
  for (let round = 0; round < 2; round += 1) {
    const { exitCode, stdout, stderr } = await run(["up", "--json", "--check", "/bad"], { cwd });
    expect({ exitCode, stdout }).toEqual({ exitCode: 8, stdout: "" });
    const { error } = JSON.parse(stderr.trim().split("\n").at(-1) ?? "");
    expect(error).toMatchObject({ code: "HTTP_STATUS", details: { status_code: 500, serving: [revision] } });
    expect(error.message).toMatch(new RegExp(`^checked-00002-\\w{3} did not pass, and gets no traffic: ${revision} serves on\\.`));
  }
  const { traffic } = await json(["describe", "checked"]);
  expect(traffic.map(({ percent, tag }: { percent: number; tag: string | null }) => [percent, tag])).toEqual([
    [100, null],
    [0, "candidate"],
  ]);
  const promoted = await json(["up", "--check", "/good"], { cwd });
  expect(stepsOf(promoted)).toEqual(["look", "refuse", "check", "promote", "invoke"]);
  expect((await json(["describe", "checked"])).traffic).toMatchObject([
    { revision: promoted.revision, percent: 100, latest: true, tag: null },
  ]);
}, 60_000);

test("traffic that somebody has taken back stays so until another source comes", async () => {
  const cwd = upFolder("back");
  const { revision: first } = await json(["up"], { cwd });
  writeFileSync(join(cwd, "server.js"), `${SERVER}// worse\n`);
  await json(["up"], { cwd });
  await json(["rollback", "back", "--yes"]);
  const { stderr } = await run(["up"], { cwd });
  expect(stderr).toContain(
    `The traffic stays as it was divided: 100% to ${first}. All to the latest: cloudrun-oauth traffic back --to LATEST`,
  );
  expect((await json(["describe", "back"])).traffic).toMatchObject([{ revision: first, percent: 100 }]);
  writeFileSync(join(cwd, "server.js"), `${SERVER}// better\n`);
  const mended = await json(["up"], { cwd });
  expect(stepsOf(mended)).toEqual(["look", "build", "deploy", "refuse", "promote", "invoke"]);
  expect((await json(["describe", "back"])).traffic).toMatchObject([{ revision: mended.revision, percent: 100, latest: true, tag: null }]);
}, 60_000);

test("two at once end well", async () => {
  const folders = [upFolder("twice"), upFolder("twice")];
  const ended = await Promise.all(folders.map((cwd) => run(["up", "--json"], { cwd })));
  for (const { exitCode, stdout, stderr } of ended) {
    if (exitCode === 0) expect(JSON.parse(stdout)).toMatchObject({ refused: { status_code: 403 }, invoke: { status_code: 200 } });
    else expect({ exitCode, stderr }).toMatchObject({ exitCode: 5, stderr: expect.stringContaining("CONFLICT") });
  }
  expect(ended.some(({ exitCode }) => exitCode === 0)).toBe(true);
  expect(stepsOf(await json(["up"], { cwd: folders[0] as string }))).toEqual(["look", "refuse", "invoke"]);
}, 120_000);

test("of a service that was there before, down takes back the grant that up has made, and no other", async () => {
  const cwd = upFolder("mine");
  await json(["build"], { cwd });
  await json(["deploy", "mine"], { cwd });
  await json(["grant", "mine", "--member", "user:me@example.com"]);
  await json(["up"], { cwd });
  // Somebody who was let in before is not put out, though up lets him in too.
  await json(["up", "--member", "user:me@example.com"], { cwd });
  expect((await json(["down", "mine", "--plan"])).would_remove).toEqual([
    { kind: "grant", name: `roles/run.invoker to ${CALLER} on mine` },
  ]);
  const { stderr } = await run(["down", "mine", "--yes"]);
  expect(stderr).toContain("The service mine was there before up, and stays");
  const { members } = await json(["describe", "mine"]);
  expect(members.filter(({ role }: { role: string }) => role === "roles/run.invoker")).toMatchObject([{ member: "user:me@example.com" }]);
  expect((await json(["describe", "mine"])).labels).toEqual({});
  // A mark without its grant goes, too.
  await json(["up"], { cwd });
  await json(["revoke", "mine", "--member", CALLER]);
  expect((await json(["down", "mine", "--yes"])).removed).toMatchObject([{ kind: "label" }]);
  // A grant that is made by hand now is nobody else's.
  await json(["grant", "mine", "--member", CALLER]);
  expect((await json(["down", "mine", "--yes"])).removed).toEqual([]);
}, 120_000);

test("down asks, shows what it removes, and leaves a repository that others use", async () => {
  const cwd = upFolder("theirs");
  await json(["up"], { cwd });
  await json(["build", "--image", `${REPOSITORY}/other:v1`], { cwd });
  const unasked = await run(["down", "theirs"]);
  expect(unasked).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringMatching(/service +theirs at https:[\s\S]*--yes/) });
  const { removed } = await json(["down", "theirs", "--yes"]);
  expect(removed.map(({ kind }: { kind: string }) => kind)).toEqual(["service", "grant", "image"]);
  expect((await run(["describe", "theirs"])).exitCode).toBe(4);
}, 60_000);

test("a service that is for everybody is not touched", async () => {
  const cwd = upFolder("open");
  await json(["build"], { cwd });
  await json(["deploy", "open", "--allow-unauthenticated"], { cwd });
  const before = await json(["describe", "open"]);
  const { exitCode, stderr } = await run(["up"], { cwd });
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 5,
    stderr: expect.stringMatching(/is not private: allUsers\. \[CONFLICT\]\nhint: .*revoke open --member allUsers/),
  });
  expect(await json(["describe", "open"])).toEqual(before);
}, 60_000);

test("what fails between two requests leaves something that the next run goes on from", async () => {
  const cwd = upFolder("faulty");
  for (const match of ["storage.googleapis.com", "cloudbuild.googleapis.com", "us-central1-run.googleapis.com", "run.googleapis.com"]) {
    await sendAdmin(port(), "POST", "/_emulator/faults", { match, status: 500, times: 1 });
    const { exitCode, stdout } = await run(["up", "--json"], { cwd });
    if (exitCode !== 0) expect({ match, exitCode, stdout }).toEqual({ match, exitCode: 7, stdout: "" });
  }
  const done = await json(["up"], { cwd });
  expect(done).toMatchObject({ invoke: { status_code: 200 } });
  expect(done.revision).toMatch(/^faulty-00001-/);
}, 120_000);

test("an interrupt says that the next run goes on", async () => {
  const stop = new AbortController();
  stop.abort(new CliError("INTERRUPTED", "Interrupted."));
  const { exitCode, stdout, stderr } = await run(["up"], { cwd: upFolder("never"), signal: stop.signal });
  expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: "" });
  expect(stderr).toContain("What is done stays, and the next up goes on from there.\n");
});

test.for<[string, readonly string[], Readonly<Record<string, string>>, number, string]>([
  ["a project that does not exist", ["--project", "no-such-project"], {}, 5, "no-such-project"],
  ["a check that is no path", ["--check", "healthz"], {}, 2, "--check healthz is no path"],
  ["an image with a digest", ["--image", `gcr.io/p/x@sha256:${"0".repeat(64)}`], {}, 2, "An image with a digest cannot be built"],
  ["no credentials", [], { CREDS: "/no/such/file.json" }, 3, "/no/such/file.json"],
])("%s ends it before anything is done", async ([, argv, env, exitCode, message]) => {
  asked();
  const ended = await run(["up", ...argv], { cwd: upFolder("refused"), env });
  expect(ended).toMatchObject({ exitCode, stdout: "", stderr: expect.stringContaining(message) });
  expect(asked().filter((line) => !/^GET |\/token$/.test(line))).toEqual([]);
});

test("a folder without a Dockerfile, and one that is not there, are named", async () => {
  expect(await run(["up"], { cwd: folder() })).toMatchObject({ exitCode: 4, stderr: expect.stringContaining("There is no /") });
  expect(await run(["up", "nowhere"], { cwd: folder() })).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining("There is no folder /"),
  });
});

test("a folder that is named brings its own settings", async () => {
  const cwd = folder({ "cloudrun-oauth.json": '{"service":"outer"}' });
  const inside = folder(upFiles("inner"));
  expect((await json(["up", inside, "--plan"], { cwd })).service).toBe("inner");
});

test("down --dry-run says what it would read and remove, and up --dry-run each step", async () => {
  const { stdout } = await runCli(["down", "hello", "--dry-run", "--project", "my-project", "--via", "api"]);
  expect(stdout.split("\n").map((line) => line.replace(/(?:https:\/\/)([^/.]+).*\/([^/]+)$/, "$1 $2"))).toEqual([
    "GET us-central1-run hello",
    "GET run hello:getIamPolicy?options.requestedPolicyVersion=3",
    "GET artifactregistry dockerImages?pageSize=1000",
    "GET artifactregistry cloudrun-oauth",
    "DELETE us-central1-run hello",
    "GET us-central1-run hello",
    "DELETE artifactregistry DIGEST?force=true",
    "DELETE artifactregistry cloudrun-oauth",
    "",
  ]);
  asked();
  const cwd = upFolder("dry");
  const dry = await run(["up", "--dry-run", "--json"], { cwd });
  expect(JSON.parse(dry.stdout).dry_run).toEqual(expect.arrayContaining(["curl SERVICE_URL", "cloudrun-oauth invoke SERVICE_URL"]));
  expect(asked()).toEqual([]);
});

test("by gcloud, down says its lines exactly", async () => {
  const label = grantLabel(CALLER);
  const service = { ...KNATIVE_SERVICE, metadata: { ...KNATIVE_SERVICE.metadata, labels: { [label]: "granted" } } };
  const where = "--project my-project --region us-central1 --quiet --format=json";
  const policy = { bindings: [{ role: "roles/run.invoker", members: [CALLER, "user:me@example.com"] }], etag: "abc=" };
  const path = fakeGcloud(
    { line: `run services describe hello ${where}`, stdout: JSON.stringify(service) },
    { line: `run services get-iam-policy hello ${where}`, stdout: JSON.stringify(policy) },
    {
      line: `run services remove-iam-policy-binding hello --member ${CALLER} --role roles/run.invoker --condition=None ${where}`,
      stdout: "{}",
    },
    { line: `run services update hello --remove-labels ${label} ${where}`, stdout: JSON.stringify(service) },
  );
  const { exitCode, stdout } = await runCli(["down", "hello", "--yes"], { env: { ...path, PROJECT_ID: "my-project" } });
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `grant\troles/run.invoker to ${CALLER} on hello\n` });
});

test("an API that is not enabled is named, enabled under --yes, and gone on from; without a project there is nothing to go on from", async () => {
  const cwd = upFolder("again");
  const { request, project } = await operate(emulator.status());
  const disabled = await request(
    "POST",
    "serviceusage.googleapis.com",
    `/v1/projects/${project}/services/cloudbuild.googleapis.com:disable`,
    {
      body: {},
    },
  );
  expect(disabled.status).toBe(200);
  expect(await run(["up", "--json"], { cwd })).toMatchObject({
    exitCode: 5,
    stdout: "",
    stderr: expect.stringContaining("gcloud services enable cloudbuild.googleapis.com"),
  });
  expect(await json(["up", "--yes"], { cwd })).toMatchObject({ invoke: { status_code: 200 } });

  expect((await request("DELETE", "cloudresourcemanager.googleapis.com", `/v1/projects/${project}`)).status).toBe(200);
  const ended = await run(["up"], { cwd });
  expect(ended).toMatchObject({ stdout: "", stderr: expect.stringMatching(/cloudrun-local/) });
  expect(ended.exitCode === 4 || ended.exitCode === 5).toBe(true);
}, 60_000);

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { projectEnvironment } from "../../../src/emulator/index.ts";
import { mergeEnvironment } from "../../../src/context/merge-environment.ts";
import { sendAdmin } from "../../helpers/admin.ts";
import { withoutRandomParts } from "../../helpers/both-back-ends.ts";
import type { Json } from "../../helpers/api-server.ts";
import { runCli } from "../../helpers/command-line.ts";
import { HELLO, startEmulator, tinyService } from "../../helpers/emulator.ts";

const emulator = await startEmulator(afterAll);
const { port, request, status } = emulator;
const home = mkdtempSync(join(tmpdir(), "cloudrun-oauth-test-"));
afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
const source = join(home, "source");
mkdirSync(source);
for (const [name, text] of Object.entries(tinyService(HELLO))) writeFileSync(join(source, name), text);

/** The image that is built from the source. */
const IMAGE = "us-central1-docker.pkg.dev/PROJECT/cloud-run-source-deploy/hello";
const COMMANDS = [
  ["deploy", "--source", source],
  ["deploy", "--image", IMAGE, "--allow-unauthenticated", "--yes", "--tag", "next"],
  ["grant", "--member", "user:me@example.com"],
  ["revoke", "--member", "user:me@example.com"],
  ["describe"],
] as const;
/** Together, the commands build once and create two revisions. */
const EXPECTED_COUNTS = { builds: 1, revisions: 2 };

/** Bindings of other clients. */
const OTHERS = [
  { role: "roles/run.viewer", members: ["user:other@example.com"] },
  {
    role: "roles/run.invoker",
    members: ["user:other@example.com"],
    condition: { title: "until", expression: 'request.time < timestamp("2100-01-01T00:00:00Z")' },
  },
];

const policyOf = async (project: string): Promise<Json[]> => {
  const path = `/v1/projects/${project}/locations/us-central1/services/hello:getIamPolicy?options.requestedPolicyVersion=3`;
  return (await request("GET", "run.googleapis.com", path)).json["bindings"] ?? [];
};

async function openProject(project: string) {
  const made = await request("POST", "cloudresourcemanager.googleapis.com", "/v1/projects", {
    body: { projectId: project, name: project },
  });
  expect(made.json["error"]).toBeUndefined();
  const env = mergeEnvironment({ HOME: home, PATH: "", SERVICE_NAME: "hello" }, projectEnvironment(status(), project)) as Record<
    string,
    string
  >;
  return {
    project,
    run: (argv: readonly string[]) => runCli(["--via", "api", "--json", "--verbose", ...argv], { env, cwd: home }),
    /** Runs between the commands. */
    async grantOthers() {
      const path = `/v1/projects/${project}/locations/us-central1/services/hello:setIamPolicy`;
      const { json } = await request("POST", "run.googleapis.com", path, {
        body: { policy: { version: 3, bindings: OTHERS } },
      });
      expect(json["error"]).toBeUndefined();
    },
    async counts() {
      const builds = await request("GET", "cloudbuild.googleapis.com", `/v1/projects/${project}/locations/global/builds`);
      const revisions = await request(
        "GET",
        "run.googleapis.com",
        `/v2/projects/${project}/locations/us-central1/services/hello/revisions`,
      );
      return { builds: builds.json["builds"]?.length ?? 0, revisions: revisions.json["revisions"]?.length ?? 0 };
    },
  };
}

type Project = Awaited<ReturnType<typeof openProject>>;

interface RequestPattern {
  readonly method: string;
  readonly match: string;
}

/** The requests that a command's --verbose output lists, as faults match them. */
function listRequests(stderr: string): RequestPattern[] {
  const lines = [...stderr.matchAll(/^([A-Z]+) https?:\/\/(\S+?)(?:\?\S*)? → /gm)];
  const requests = lines.flatMap(([, method = "", target = ""]) =>
    // A command doesn't need the build's log.
    target.includes(".cloudbuild-logs.") ? [] : `${method} ${target.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "*")}`,
  );
  return [...new Set(requests)].map((request) => ({ method: request.split(" ")[0] ?? "", match: request.split(" ")[1] ?? "" }));
}

const faultless: { requests: RequestPattern[]; result: string }[] = [];
const withProject = (text: string, project: string) => text.replaceAll(project, "PROJECT");

/** A command's result, without the project, random names and the number of revisions. */
function resultOf({ exitCode, stdout, stderr }: Awaited<ReturnType<Project["run"]>>, { project }: Project): string {
  if (exitCode !== 0) throw new Error(stderr);
  return withProject(withoutRandomParts(JSON.parse(stdout)), project)
    .replace(/-\d{5}-abc/g, "-N-abc")
    .replace(/\b\d{12}\b/g, "NUMBER");
}

const addFault = (fault: object) => sendAdmin(port, "POST", "/_emulator/faults", fault);
const readStrikes = async () =>
  ((await sendAdmin(port, "GET", "/_emulator/faults")).json["faults"] as Json[]).map(({ match, struck }) => [match, struck]);
const clear = () => sendAdmin(port, "DELETE", "/_emulator/faults");

afterEach(clear);

async function runCommands(project: Project, step: (index: number, argv: readonly string[]) => Promise<void>): Promise<void> {
  for (const [index, argv] of COMMANDS.entries()) {
    await step(
      index,
      argv.map((word) => word.replace("PROJECT", project.project)),
    );
    if (index === 0) await project.grantOthers();
  }
  const [viewer, conditional] = OTHERS;
  expect(await policyOf(project.project)).toEqual(expect.arrayContaining([expect.objectContaining(viewer!), conditional]));
}

test("every command succeeds without faults", async () => {
  const project = await openProject("unharmed");
  await runCommands(project, async (index, argv) => {
    const done = await project.run(argv);
    faultless[index] = { requests: listRequests(done.stderr), result: resultOf(done, project) };
  });
  expect(await project.counts()).toEqual(EXPECTED_COUNTS);
  expect(faultless.flatMap(({ requests }) => requests).length).toBeGreaterThan(25);
});

test.for([
  ["busy", [{ status: 503 }, { status: 429, retry_after: 0 }]],
  ["reset", [{ reset: true }]],
  ["half", [{ truncate: 5 }]],
  ["token", [{ status: 401 }]],
] as const)("a command in which each request fails once has the same result, and does nothing twice: %s", async ([name, faults]) => {
  const project = await openProject(`struck-by-${name}`);
  await runCommands(project, async (index, argv) => {
    const { requests = [], result } = faultless[index] ?? {};
    const faulty = requests.filter(({ match }) => name !== "token" || !match.startsWith("oauth2"));
    for (const [at, { method, match }] of faulty.entries())
      await addFault({ ...faults[at % faults.length], method, match: match.replaceAll("unharmed", project.project), times: 1 });
    expect(resultOf(await project.run(argv), project)).toBe(result);
    // If a response gets lost, an operation's name is unknown, and a build that has ended meanwhile isn't polled.
    expect(
      (await readStrikes()).filter(([match, times]) => times !== 1 && !(name === "half" && /\/(operations|builds)\//.test(match))),
    ).toEqual([]);
    await clear();
  });
  expect(await project.counts()).toEqual(EXPECTED_COUNTS);
});

test("a command says where it stopped, and the same command continues from there", async () => {
  const project = await openProject("stopped");
  await runCommands(project, async (index, argv) => {
    const { requests = [], result } = faultless[index] ?? {};
    for (const { method, match } of requests) {
      // A command doesn't need the project's policy.
      if (/^(oauth2|cloudresourcemanager)\./.test(match)) continue;
      const target = match.replaceAll("unharmed", project.project);
      await addFault({ status: 429, retry_after: 3600, method, match: target });
      const { exitCode, stdout, stderr } = await project.run(argv);
      const { error } = JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "") as { error: Json };
      expect({ target, exitCode, stdout, code: error["code"] }).toEqual({ target, exitCode: 7, stdout: "", code: "UNAVAILABLE" });
      expect(error["message"]).toContain("Quota exceeded in project stopped: quota metric");
      expect(error["hint"]).toMatch(/Run the command again in a minute|Build [\w-]+ is still running/);
      await clear();
    }
    expect(resultOf(await project.run(argv), project)).toBe(result);
  });
});

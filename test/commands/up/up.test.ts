import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { CliError } from "../../../src/errors/cli-error.ts";
import { folder } from "../../helpers/command-line.ts";
import { operate } from "../../helpers/emulator.ts";
import { CALLER, openUpEmulator, SERVER, stepsOf, upFiles, upFolder } from "../../helpers/up.ts";

const { emulator, faults, json, run, takeRequests } = openUpEmulator();

test("an unchanged folder takes three reads and no change, even if its files are newer", async () => {
  const home = folder();
  const cwd = upFolder("same");
  const first = await json(["up"], { cwd, env: { HOME: home } });
  takeRequests();
  // A copy of the files, written later in another folder.
  const again = await json(["up"], { cwd: upFolder("same"), env: { HOME: home } });
  const lines = takeRequests();
  expect(lines.filter((line) => !line.startsWith("GET "))).toEqual(["POST https://oauth2.googleapis.com/token"]);
  expect(lines.filter((line) => line.startsWith("GET "))).toHaveLength(3);
  expect({ ...again, steps: [] }).toEqual({ ...first, steps: [] });
  expect(stepsOf(again)).toEqual(["look", "refuse", "invoke"]);
}, 60_000);

test("--plan shows each step that would change something, and changes nothing", async () => {
  const cwd = upFolder("planned");
  takeRequests();
  const { steps, ...plan } = await json(["up", "--plan"], { cwd });
  expect(plan).toEqual({
    service: "planned",
    project: "cloudrun-local",
    region: "us-central1",
    image: expect.stringMatching(/^us-central1-docker\.pkg\.dev\/cloudrun-local\/cloudrun-oauth\/planned:src-[0-9a-f]{32}$/),
    changes: 3,
  });
  const changes = steps.filter(({ change }: { change: boolean }) => change);
  expect(stepsOf({ steps })).toEqual(["build", "deploy", "refuse", "grant", "promote", "invoke"]);
  expect(stepsOf({ steps: changes })).toEqual(["build", "deploy", "grant"]);
  expect(steps[1]).toMatchObject({
    why: "service planned doesn't exist",
    lines: expect.arrayContaining([expect.stringMatching(/^POST .*src-/)]),
  });
  expect(takeRequests().filter((line) => !line.startsWith("GET "))).toEqual(["POST https://oauth2.googleapis.com/token"]);
  const { stdout } = await run(["up", "--plan"], { cwd });
  expect(stdout).toContain("deploy\tchange\tservice planned doesn't exist\n");
}, 60_000);

test("up runs the steps that --plan lists, and no others", async () => {
  const cwd = upFolder("listed");
  const expectRunAsPlanned = async (...argv: readonly string[]) => {
    const { steps } = await json(["up", "--plan", ...argv], { cwd });
    const planned = steps.filter(({ lines }: { lines: readonly string[] }) => lines.length > 0);
    const names = planned.map(({ name }: { name: string }) => name);
    expect(stepsOf(await json(["up", ...argv], { cwd }))).toEqual(["look", ...names]);
    return names;
  };
  expect(await expectRunAsPlanned()).toEqual(["build", "deploy", "refuse", "grant", "invoke"]);
  expect(await expectRunAsPlanned()).toEqual(["refuse", "invoke"]);
  writeFileSync(join(cwd, "server.js"), `${SERVER}// next\n`);
  expect(await expectRunAsPlanned("--check", "/good")).toEqual(["build", "deploy", "refuse", "check", "promote", "invoke"]);
  expect(await expectRunAsPlanned("--member", "user:me@example.com")).toEqual(["refuse", "grant", "invoke"]);
}, 120_000);

test("a policy that can't be read stays as it is, and both --plan and the run say so", async () => {
  const cwd = upFolder("unreadable");
  await json(["up"], { cwd });
  const sentence = "the IAM policy can't be read (requires run.services.getIamPolicy)";
  await faults("POST", { match: "run.googleapis.com/**:getIamPolicy", status: 403 });
  onTestFinished(async () => void (await faults("DELETE")));
  const { changes, steps } = await json(["up", "--plan"], { cwd });
  expect(changes).toBe(0);
  expect(steps).toContainEqual({ name: "grant", change: false, why: sentence, lines: [] });
  const { exitCode, stdout, stderr } = await run(["up", "--json"], { cwd });
  expect({ exitCode, steps: stepsOf(JSON.parse(stdout)) }).toEqual({ exitCode: 0, steps: ["look", "refuse", "invoke"] });
  expect(stderr).toContain(`Skipping the grant to ${CALLER}: ${sentence}.`);
  // The fault ends, and comes back when the caller has lost access.
  await faults("DELETE");
  await json(["revoke", "unreadable", "--member", CALLER]);
  await faults("POST", { match: "run.googleapis.com/**:getIamPolicy", status: 403 });
  const refused = await run(["up"], { cwd });
  expect(refused).toMatchObject({ exitCode: 9, stderr: expect.stringContaining(`Skipping the grant to ${CALLER}: ${sentence}`) });
}, 60_000);

test("a candidate that fails its check gets no traffic until a check passes", async () => {
  const cwd = upFolder("checked");
  const { revision } = await json(["up", "--check", "/good"], { cwd });
  writeFileSync(join(cwd, "server.js"), `${SERVER}// next\n`);
  for (let round = 0; round < 2; round += 1) {
    const { exitCode, stdout, stderr } = await run(["up", "--json", "--check", "/bad"], { cwd });
    expect({ exitCode, stdout }).toEqual({ exitCode: 8, stdout: "" });
    const { error } = JSON.parse(stderr.trim().split("\n").at(-1) ?? "");
    expect(error).toMatchObject({ code: "HTTP_STATUS", details: { status_code: 500, serving: [revision] } });
    expect(error.message).toMatch(new RegExp(`^Revision checked-00002-\\w{3} failed the check, so ${revision} is still serving\\.`));
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

test("traffic that was rolled back stays that way until the source changes", async () => {
  const cwd = upFolder("back");
  const { revision: first } = await json(["up"], { cwd });
  writeFileSync(join(cwd, "server.js"), `${SERVER}// worse\n`);
  await json(["up"], { cwd });
  await json(["rollback", "back", "--yes"]);
  const { stderr } = await run(["up"], { cwd });
  expect(stderr).toContain(`Traffic is pinned to ${first} (100%).\n`);
  expect((await json(["describe", "back"])).traffic).toMatchObject([{ revision: first, percent: 100 }]);
  writeFileSync(join(cwd, "server.js"), `${SERVER}// better\n`);
  const repaired = await json(["up"], { cwd });
  expect(stepsOf(repaired)).toEqual(["look", "build", "deploy", "refuse", "promote", "invoke"]);
  expect((await json(["describe", "back"])).traffic).toMatchObject([
    { revision: repaired.revision, percent: 100, latest: true, tag: null },
  ]);
}, 60_000);

test("two runs at the same time leave a working service", async () => {
  const folders = [upFolder("twice"), upFolder("twice")];
  const ended = await Promise.all(folders.map((cwd) => run(["up", "--json"], { cwd })));
  for (const { exitCode, stdout, stderr } of ended) {
    if (exitCode === 0) expect(JSON.parse(stdout)).toMatchObject({ refused: { status_code: 403 }, invoke: { status_code: 200 } });
    else expect({ exitCode, stderr }).toMatchObject({ exitCode: 5, stderr: expect.stringContaining("CONFLICT") });
  }
  expect(ended.some(({ exitCode }) => exitCode === 0)).toBe(true);
  expect(stepsOf(await json(["up"], { cwd: folders[0] as string }))).toEqual(["look", "refuse", "invoke"]);
}, 120_000);

test("a public service is left alone", async () => {
  const cwd = upFolder("open");
  await json(["build"], { cwd });
  await json(["deploy", "open", "--allow-unauthenticated", "--yes"], { cwd });
  const before = await json(["describe", "open"]);
  expect(await run(["up"], { cwd })).toMatchObject({
    exitCode: 5,
    stderr: expect.stringMatching(/isn't private: allUsers has access\. \[CONFLICT\]\n[\s\S]*revoke open --member allUsers/),
  });
  expect(await json(["describe", "open"])).toEqual(before);
}, 60_000);

test("after a failure between two requests, the next run goes on", async () => {
  const cwd = upFolder("faulty");
  for (const match of ["storage.googleapis.com", "cloudbuild.googleapis.com", "us-central1-run.googleapis.com", "run.googleapis.com"]) {
    await faults("POST", { match, status: 500, times: 1 });
    const { exitCode, stdout } = await run(["up", "--json"], { cwd });
    if (exitCode !== 0) expect({ match, exitCode, stdout }).toEqual({ match, exitCode: 7, stdout: "" });
  }
  const done = await json(["up"], { cwd });
  expect(done).toMatchObject({ invoke: { status_code: 200 } });
  expect(done.revision).toMatch(/^faulty-00001-/);
}, 120_000);

test("an interrupted run says that the next one goes on", async () => {
  const stop = new AbortController();
  stop.abort(new CliError("INTERRUPTED", "Interrupted."));
  expect(await run(["up"], { cwd: upFolder("never"), signal: stop.signal })).toMatchObject({
    exitCode: 130,
    stdout: "",
    stderr: expect.stringContaining("Completed steps are kept. Run `up` again to continue.\n"),
  });
});

test.for<[string, readonly string[], Readonly<Record<string, string>>, number, string]>([
  ["a project that does not exist", ["--project", "no-such-project"], {}, 5, "no-such-project"],
  ["a check that is no path", ["--check", "health"], {}, 2, '--check must start with "/"'],
  ["an image with a digest", ["--image", `gcr.io/p/x@sha256:${"0".repeat(64)}`], {}, 2, "--image can't contain a digest"],
  ["no credentials", [], { CREDS: "/no/such/file.json" }, 3, "/no/such/file.json"],
])("%s ends up before it changes anything", async ([, argv, env, exitCode, message]) => {
  takeRequests();
  const ended = await run(["up", ...argv], { cwd: upFolder("refused"), env });
  expect(ended).toMatchObject({ exitCode, stdout: "", stderr: expect.stringContaining(message) });
  expect(takeRequests().filter((line) => !/^GET |\/token$/.test(line))).toEqual([]);
});

test("a folder's own settings apply to it", async () => {
  const cwd = folder({ "cloudrun-oauth.json": '{"service":"outer"}' });
  const inside = folder(upFiles("inner"));
  expect((await json(["up", inside, "--plan"], { cwd })).service).toBe("inner");
  // In a service's own folder, its name means the folder.
  expect((await json(["up", "inner", "--plan"], { cwd: inside })).service).toBe("inner");
});

test("--dry-run prints each step and sends no request", async () => {
  takeRequests();
  const { dry_run } = await json(["up", "--dry-run"], { cwd: upFolder("dry") });
  expect(dry_run).toEqual(expect.arrayContaining(["curl SERVICE_URL", "cloudrun-oauth invoke SERVICE_URL"]));
  expect(takeRequests()).toEqual([]);
});

test("up names an API that is disabled, and enables it with --yes; a deleted project ends it", async () => {
  const cwd = upFolder("again");
  const { request, project } = await operate(emulator().status());
  const api = `/v1/projects/${project}/services/cloudbuild.googleapis.com:disable`;
  expect((await request("POST", "serviceusage.googleapis.com", api, { body: {} })).status).toBe(200);
  expect(await run(["up", "--json"], { cwd })).toMatchObject({
    exitCode: 5,
    stdout: "",
    stderr: expect.stringContaining("cloudbuild.googleapis.com isn't enabled in project cloudrun-local"),
  });
  expect(await json(["up", "--yes"], { cwd })).toMatchObject({ invoke: { status_code: 200 } });

  expect((await request("DELETE", "cloudresourcemanager.googleapis.com", `/v1/projects/${project}`)).status).toBe(200);
  const ended = await run(["up"], { cwd });
  expect(ended).toMatchObject({ stdout: "", stderr: expect.stringMatching(/cloudrun-local/) });
  expect(ended.exitCode === 4 || ended.exitCode === 5).toBe(true);
}, 60_000);

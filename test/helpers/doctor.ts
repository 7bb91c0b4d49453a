import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, onTestFinished } from "vitest";
import { mergeEnvironment } from "../../src/context/merge-environment.ts";
import { runCli } from "./command-line.ts";
import { startEmulator } from "./emulator.ts";
import { readTable } from "./markdown-table.ts";

/** What `doctor --json` prints of a check. */
interface Found {
  readonly name: string;
  readonly group: string;
  readonly status: "ok" | "warn" | "fail" | "skipped";
  readonly message: string;
  readonly remedy: string | null;
  readonly code: string | null;
  readonly fixable: boolean;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test says itself what it expects of it
  readonly details: Record<string, any>;
}

type World = NonNullable<Parameters<typeof runCli>[1]>;

/** Makes checks, and gives what they found by their names; a slow machine is no reason to give up on one. */
export async function runDoctor(argv: readonly string[], world: World = {}) {
  const { exitCode, stdout, stderr } = await runCli(["doctor", "--json", "--max-time", "5m", ...argv], world);
  const found = JSON.parse(stdout) as Found[];
  for (const each of found) assertDocumented(each);
  const byName = Object.fromEntries(found.map((each) => [each.name, each]));
  return { exitCode, stderr, found, check: (name: string) => byName[name] as Found };
}

const DOCUMENTED = new Map(readTable("docs/doctor.md", "The checks").map(([name = "", ...cells]) => [name, cells]));

/** docs/doctor.md has a row for every check, and says of it when it is to be looked at, what it fails with, and whether it can be fixed. */
function assertDocumented({ name, status, code, fixable, message, remedy }: Found): void {
  const [, isWarning, codes = "", fix] = DOCUMENTED.get(name) ?? [];
  const hasNoAnswer = /^It (could not be looked at|was not done in time):/.test(message);
  const facts = { name, status, code, message };
  if (status === "warn" && !hasNoAnswer) expect({ ...facts, isDocumented: Boolean(isWarning) }).toEqual({ ...facts, isDocumented: true });
  if (status === "fail")
    expect({ ...facts, codes: codes.split(", ").map((each) => each.replaceAll("`", "")) }).toEqual({
      ...facts,
      codes: expect.arrayContaining([code]),
    });
  else expect({ ...facts, code }).toEqual({ ...facts, code: null });
  if (fixable) expect({ ...facts, fix }).toEqual({ ...facts, fix: "yes" });
  if (status === "warn" || status === "fail") expect({ ...facts, remedy }).toEqual({ ...facts, remedy: expect.any(String) });
}

/** The one check that is named, and the exit code that it left. */
export async function runCheck(name: string, world: World = {}) {
  const { exitCode, check } = await runDoctor([name], world);
  return { exitCode, ...check(name) };
}

/** An emulator for a file's tests, with doctors who act on it as its operator; nothing is on PATH. */
export async function startClinic() {
  const atEnd: (() => Promise<void> | void)[] = [];
  const emulator = await startEmulator((cleanUp) => void atEnd.push(cleanUp), {
    env: { PATH: dirname(process.execPath), HOME: tmpdir() },
  });
  const home = mkdtempSync(join(tmpdir(), "cloudrun-oauth-test-"));
  afterAll(async () => {
    for (const cleanUp of atEnd.toReversed()) await cleanUp();
    rmSync(home, { recursive: true, force: true });
  });
  const { project, request } = emulator;
  const surround = (world: World): World => ({
    ...world,
    env: { ...(mergeEnvironment({ HOME: home }, emulator.status().environment) as Record<string, string>), PATH: "", ...world.env },
  });

  /** Asks one of Google's APIs as the operator, who may. */
  const ask = async (method: string, host: string, path: string, body?: object) => {
    const { status, text, json } = await request(method, host, path, body && { body });
    expect({ status, text: status === 200 ? "" : text }).toEqual({ status: 200, text: "" });
    return json;
  };
  const resources = "cloudresourcemanager.googleapis.com";

  return {
    ...emulator,
    ask,
    check: (name: string, world: World = {}) => runCheck(name, surround(world)),
    doctor: (argv: readonly string[], world: World = {}) => runDoctor(argv, surround(world)),
    run: (argv: readonly string[], world: World = {}) => runCli(argv, surround(world)),

    /** Disables an API until the test ends. */
    async disable(api: string): Promise<void> {
      const path = `/v1/projects/${project}/services/${api}`;
      await ask("POST", "serviceusage.googleapis.com", `${path}:disable`, {});
      onTestFinished(async () => void (await ask("POST", "serviceusage.googleapis.com", `${path}:enable`, {})));
    },
    /** Sets an organisation's policy until the test ends. */
    async forbid(constraint: string, rule: object): Promise<void> {
      await ask("POST", resources, `/v1/projects/${project}:setOrgPolicy`, { policy: { constraint, ...rule } });
      onTestFinished(async () => void (await ask("POST", resources, `/v1/projects/${project}:clearOrgPolicy`, { constraint })));
    },
    /** Lets somebody have roles on the project until the test ends. */
    async grantOnProject(member: string, ...roles: readonly string[]): Promise<void> {
      const path = `/v1/projects/${project}`;
      const before = await ask("POST", resources, `${path}:getIamPolicy`, {});
      const bindings = [...before["bindings"], ...roles.map((role) => ({ role, members: [member] }))];
      await ask("POST", resources, `${path}:setIamPolicy`, { policy: { bindings } });
      onTestFinished(async () => void (await ask("POST", resources, `${path}:setIamPolicy`, { policy: { bindings: before["bindings"] } })));
    },
  };
}

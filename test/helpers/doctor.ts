import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, onTestFinished } from "vitest";
import { overlay } from "../../src/context.ts";
import { runCli } from "./command-line.ts";
import { startEmulator } from "./emulator.ts";

/** What `doctor --json` prints of a check. */
export interface Found {
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
  const byName = Object.fromEntries(found.map((each) => [each.name, each]));
  return { exitCode, stderr, found, check: (name: string) => byName[name] as Found };
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
    env: { ...(overlay({ HOME: home }, emulator.status().environment) as Record<string, string>), PATH: "", ...world.env },
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

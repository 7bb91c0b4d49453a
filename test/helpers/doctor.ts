import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, onTestFinished } from "vitest";
import { EXIT_CODES, type ErrorCode } from "../../src/errors/exit-codes.ts";
import { mergeEnvironment } from "../../src/context/merge-environment.ts";
import { runCli } from "./command-line.ts";
import { startEmulator } from "./emulator.ts";
import { readTable } from "./markdown-table.ts";

/** The result of a check in `doctor --json`. */
interface CheckResult {
  readonly name: string;
  readonly group: string;
  readonly status: "ok" | "warn" | "fail" | "skipped";
  readonly message: string;
  readonly remedy: string | null;
  readonly code: string | null;
  readonly fixable: boolean;
  // oxlint-disable-next-line typescript/no-explicit-any -- each test knows the details that it expects
  readonly details: Record<string, any>;
}

type RunOptions = NonNullable<Parameters<typeof runCli>[1]>;

/**
 * Runs checks with plenty of time, since the machine can be slow, and returns their results by name. The exit code must be that of the first check
 * that failed.
 */
export async function runDoctor(argv: readonly string[], options: RunOptions = {}) {
  const { exitCode, stdout, stderr } = await runCli(["doctor", "--json", "--max-time", "5m", ...argv], options);
  const results = JSON.parse(stdout) as CheckResult[];
  for (const result of results) assertDocumented(result);
  const code = results.find(({ status }) => status === "fail")?.code as ErrorCode | undefined;
  expect({ code, exitCode, stderr: code ? "" : stderr }).toMatchObject({ exitCode: code ? EXIT_CODES[code] : 0 });
  const byName = Object.fromEntries(results.map((result) => [result.name, result]));
  return { exitCode, stderr, results, check: (name: string) => byName[name] as CheckResult };
}

const DOCUMENTED = new Map(readTable("docs/troubleshoot.md", "Checks").map(([name = "", ...cells]) => [name, cells]));

/** docs/troubleshoot.md has a row for every check: whether it warns, the codes that it fails with, and whether it can be fixed. */
function assertDocumented({ name, status, code, fixable, message, remedy }: CheckResult): void {
  const [, isWarning, codes = "", fix] = DOCUMENTED.get(name) ?? [];
  const hasNoAnswer = /^(?:Can't check:|Timed out)/.test(message);
  const facts = { name, status, code, message };
  if (status === "warn" && !hasNoAnswer) expect({ ...facts, isDocumented: Boolean(isWarning) }).toEqual({ ...facts, isDocumented: true });
  if (status === "fail")
    expect({ ...facts, codes: codes.split(", ").map((text) => text.replaceAll("`", "")) }).toEqual({
      ...facts,
      codes: expect.arrayContaining([code]),
    });
  else expect({ ...facts, code }).toEqual({ ...facts, code: null });
  if (fixable) expect({ ...facts, fix }).toEqual({ ...facts, fix: "yes" });
  if (status === "warn" || status === "fail") expect({ ...facts, remedy }).toEqual({ ...facts, remedy: expect.any(String) });
}

/** Runs one check, and returns its result. */
export async function runCheck(name: string, options: RunOptions = {}) {
  const { check } = await runDoctor([name], options);
  return check(name);
}

/** An emulator for a file's tests, and `doctor` on it as its operator, with nothing on PATH. */
export async function startDoctorEmulator() {
  const atEnd: (() => Promise<void> | void)[] = [];
  const emulator = await startEmulator((cleanUp) => void atEnd.push(cleanUp), { env: { PATH: dirname(process.execPath), HOME: tmpdir() } });
  const home = mkdtempSync(join(tmpdir(), "cloudrun-oauth-test-"));
  afterAll(async () => {
    for (const cleanUp of atEnd.toReversed()) await cleanUp();
    rmSync(home, { recursive: true, force: true });
  });
  const { project, request } = emulator;
  const onEmulator = (options: RunOptions): RunOptions => ({
    ...options,
    env: { ...(mergeEnvironment({ HOME: home }, emulator.status().environment) as Record<string, string>), PATH: "", ...options.env },
  });

  /** Calls one of Google's APIs as the operator. */
  const call = async (method: string, host: string, path: string, body?: object) => {
    const { status, text, json } = await request(method, host, path, body && { body });
    expect({ status, text: status === 200 ? "" : text }).toEqual({ status: 200, text: "" });
    return json;
  };
  const resources = "cloudresourcemanager.googleapis.com";

  return {
    ...emulator,
    call,
    check: (name: string, options: RunOptions = {}) => runCheck(name, onEmulator(options)),
    doctor: (argv: readonly string[], options: RunOptions = {}) => runDoctor(argv, onEmulator(options)),
    run: (argv: readonly string[], options: RunOptions = {}) => runCli(argv, onEmulator(options)),

    /** Disables an API until the test ends. */
    async disable(api: string): Promise<void> {
      const path = `/v1/projects/${project}/services/${api}`;
      await call("POST", "serviceusage.googleapis.com", `${path}:disable`, {});
      onTestFinished(async () => void (await call("POST", "serviceusage.googleapis.com", `${path}:enable`, {})));
    },
    /** Sets an organization policy until the test ends. */
    async forbid(constraint: string, rule: object): Promise<void> {
      await call("POST", resources, `/v1/projects/${project}:setOrgPolicy`, { policy: { constraint, ...rule } });
      onTestFinished(async () => void (await call("POST", resources, `/v1/projects/${project}:clearOrgPolicy`, { constraint })));
    },
    /** Grants roles on the project until the test ends. */
    async grantOnProject(member: string, ...roles: readonly string[]): Promise<void> {
      const path = `/v1/projects/${project}`;
      const before = await call("POST", resources, `${path}:getIamPolicy`, {});
      const bindings = [...before["bindings"], ...roles.map((role) => ({ role, members: [member] }))];
      await call("POST", resources, `${path}:setIamPolicy`, { policy: { bindings } });
      onTestFinished(
        async () => void (await call("POST", resources, `${path}:setIamPolicy`, { policy: { bindings: before["bindings"] } })),
      );
    },
  };
}

import { chmodSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mergeEnvironment } from "../../src/context/merge-environment.ts";
import { sendAdmin } from "../helpers/admin.ts";
import { folder, runCli } from "../helpers/command-line.ts";
import { listCommands } from "../helpers/command-tree.ts";
import { HELLO, startEmulator, tinyService } from "../helpers/emulator.ts";
import { documentedKeys, expectDocumented } from "../helpers/json-document.ts";
import { RECORDING } from "../helpers/recording.ts";

const TESTS = fileURLToPath(new URL("..", import.meta.url));

let emulator: Awaited<ReturnType<typeof startEmulator>>;
beforeAll(async () => {
  emulator = await startEmulator(afterAll);
});

test("docs/json.md has a section for every command, and for nothing else", () => {
  const sections = [...documentedKeys().keys()].filter((name) => !name.includes(" --"));
  expect(sections.toSorted()).toEqual(listCommands().toSorted());
});

test("a test checks every section with keys against a real document", () => {
  const sources = (readdirSync(TESTS, { recursive: true }) as string[])
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => readFileSync(join(TESTS, name), "utf8"))
    .join("\n");
  const held = new Set([...sources.matchAll(/(?:expectDocumented\(|documented: )"([^"]+)"/g)].map(([, command]) => command));
  const open = [...documentedKeys()].filter(([name, keys]) => keys.length > 0 && !held.has(name)).map(([name]) => name);
  expect(open).toEqual([]);
});

interface Run {
  readonly documented: string;
  readonly argv: string;
  /** Changes nothing: with `--dry-run` too, it prints its document. */
  readonly reads?: true;
}

/** In this order, on one emulator. */
const RUNS: readonly Run[] = [
  { documented: "build", argv: "build . -s hello" },
  { documented: "deploy", argv: "deploy hello --tag next --env GREETING=hello" },
  { documented: "grant", argv: "grant hello --wait" },
  { documented: "describe", argv: "describe hello", reads: true },
  { documented: "members", argv: "members hello", reads: true },
  { documented: "list", argv: "list", reads: true },
  { documented: "traffic", argv: "traffic hello", reads: true },
  { documented: "env set", argv: "env set hello MOOD=good" },
  { documented: "env list", argv: "env list hello", reads: true },
  { documented: "traffic", argv: "traffic hello --to LATEST=100 --tag best=LATEST" },
  { documented: "rollback", argv: "rollback hello" },
  { documented: "logs", argv: "logs hello", reads: true },
  { documented: "invoke", argv: "invoke -s hello -i", reads: true },
  { documented: "invoke", argv: "invoke -s hello -o body", reads: true },
  { documented: "load", argv: "load hello -n 5 -c 2 --cold-starts --instance-header x-instance", reads: true },
  { documented: "token", argv: "token https://example.com", reads: true },
  { documented: "inspect", argv: "inspect --audience https://example.com", reads: true },
  { documented: "inspect --why", argv: "inspect hello --why", reads: true },
  { documented: "revoke", argv: "revoke hello" },
  { documented: "env unset", argv: "env unset hello MOOD" },
  { documented: "delete", argv: "delete hello --yes" },
  { documented: "up --plan", argv: "up -s risen --plan", reads: true },
  { documented: "up", argv: "up -s risen" },
  { documented: "down --plan", argv: "down risen --plan", reads: true },
  { documented: "down", argv: "down risen --yes" },
  { documented: "accounts create", argv: "accounts create key-holder" },
  { documented: "accounts list", argv: "accounts list", reads: true },
  { documented: "keys create", argv: "keys create key.json --account key-holder" },
  { documented: "keys list", argv: "keys list --account key-holder", reads: true },
  { documented: "keys rotate", argv: "keys rotate key.json --yes" },
  { documented: "keys delete", argv: "keys delete key.json --yes" },
  { documented: "accounts delete", argv: "accounts delete key-holder --yes" },
  { documented: "doctor", argv: "doctor node clock project", reads: true },
  { documented: "doctor", argv: "doctor key-file --fix --yes" },
  { documented: "ci github", argv: "ci github -s hello --repo me/hello --branch main" },
  { documented: "ci gitlab", argv: "ci gitlab -s hello --repo me/hello --branch main --print" },
  { documented: "ci cloudbuild", argv: "ci cloudbuild -s hello --apply" },
  { documented: "token revoke", argv: "token revoke" },
  { documented: "login", argv: "login --account me@example.com" },
  { documented: "whoami", argv: "whoami", reads: true },
  { documented: "logout", argv: "logout --yes" },
  { documented: "init", argv: "init new --service hello" },
  { documented: "emulator status", argv: "emulator status", reads: true },
  { documented: "emulator status", argv: "emulator status --data-dir nowhere", reads: true },
  { documented: "emulator logs", argv: "emulator logs", reads: true },
  { documented: "emulator seed", argv: "emulator seed seed.json" },
  { documented: "emulator export", argv: "emulator export", reads: true },
  { documented: "emulator export", argv: "emulator export written.json" },
  { documented: "emulator fault add", argv: "emulator fault add --match /x --status 503 --times 1" },
  { documented: "emulator fault list", argv: "emulator fault list", reads: true },
  { documented: "emulator fault remove", argv: "emulator fault remove 1" },
  { documented: "emulator fault clear", argv: "emulator fault clear" },
  { documented: "emulator clock", argv: "emulator clock +1s" },
  { documented: "emulator env", argv: "emulator env", reads: true },
  { documented: "config set", argv: "config set region us-east1" },
  { documented: "config get", argv: "config get region", reads: true },
  { documented: "config list", argv: "config list", reads: true },
  { documented: "config profiles", argv: "config profiles", reads: true },
  { documented: "config unset", argv: "config unset region" },
  { documented: "config use", argv: "config use work" },
  { documented: "config set", argv: "config set region us-east1" },
  { documented: "config delete", argv: "config delete work --yes" },
  { documented: "config schema", argv: "config schema", reads: true },
  { documented: "completion", argv: "completion bash", reads: true },
  { documented: "version", argv: "version", reads: true },
  { documented: "emulator reset", argv: "emulator reset --yes" },
];

/** Commands that start or stop something: they run with `--dry-run` here, and in full in other tests. */
const DRY_RUNS = [
  "quickstart",
  "proxy --url https://hello-1.us-central1.run.app",
  "emulator start --port 0",
  "emulator exec -- npm test",
  "emulator stop",
];

test("every command is run here", () => {
  const isRun = (path: string) => [...RUNS.map(({ argv }) => argv), ...DRY_RUNS].some((argv) => `${argv} `.startsWith(`${path} `));
  expect(listCommands().filter((path) => !isRun(path))).toEqual([]);
});

test("every document has the keys of its section; --dry-run and a prompt without a terminal change nothing", async () => {
  const { cwd, env, home } = workplace();
  // Standard input isn't a terminal, and never ends.
  const run = (argv: string, ...flags: readonly string[]) => runCli([...flags, ...argv.split(" ")], { env, cwd });
  const succeed = async (argv: string, ...flags: readonly string[]) => {
    const { exitCode, stdout, stderr } = await run(argv, ...flags, "--json");
    expect({ argv, flags, exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ argv, flags, exitCode: 0, stderr: "" });
    return JSON.parse(stdout) as object;
  };
  const state = async () => {
    const [faults, clock] = await Promise.all(["faults", "clock"].map((path) => sendAdmin(emulator.port, "GET", `/_emulator/${path}`)));
    return { files: [...filesIn(cwd), ...filesIn(home)], faults: faults?.json, shift: clock?.json["shift_ms"], changes: changes() };
  };

  for (const argv of DRY_RUNS) {
    const before = await state();
    const said = await succeed(argv, "--dry-run");
    if (!argv.startsWith("proxy")) expect(said).toEqual({ dry_run: expect.arrayContaining([expect.stringMatching(/./)]) });
    expect({ argv, ...(await state()) }).toEqual({ argv, ...before });
  }
  for (const { documented, argv, reads } of RUNS) {
    const before = await state();
    const said = await succeed(argv, "--dry-run");
    if (!reads) expect({ argv, said }).toEqual({ argv, said: { dry_run: expect.arrayContaining([expect.stringMatching(/./)]) } });
    if (argv.endsWith(" --yes")) {
      const { exitCode, stdout, stderr } = await run(argv.replace(/ --yes$/, ""));
      expect({ argv, exitCode, stdout, stderr }).toEqual({ argv, exitCode: 2, stdout: "", stderr: expect.stringContaining("--yes") });
    }
    expect({ argv, ...(await state()) }).toEqual({ argv, ...before });
    expectDocumented(documented, await succeed(argv));
  }
}, 240_000);

/** A folder with a service, a seed file, and a key file that others can read, and an environment for the emulator. */
function workplace() {
  const home = folder();
  const around = { HOME: home, PATH: "", CLOUDRUN_OAUTH_VIA: "api", CLOUDRUN_OAUTH_CACHE_DIR: folder() };
  const env = mergeEnvironment(around, emulator.status().environment) as Record<string, string>;
  const seed = JSON.stringify({ projects: [{ project: emulator.project, accounts: [{ email: "my-caller" }] }] });
  const cwd = folder({ ...tinyService(HELLO), "seed.json": seed, "open.json": readFileSync(env["CREDS"] ?? "", "utf8") });
  chmodSync(join(cwd, "open.json"), 0o644);
  return { cwd, env: { ...env, CREDS: join(cwd, "open.json") }, home };
}

/** The files below a folder: their paths, modes and contents. */
function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path} ${statSync(path).mode} ${readFileSync(path, "utf8")}`);
}

const recorded = { bytes: 0, changes: [] as string[] };

/** The requests to Google APIs so far that change something. */
function changes(): string[] {
  const more = readFileSync(RECORDING).subarray(recorded.bytes);
  recorded.bytes += more.length;
  const lines = more.toString("utf8").split("\n").filter(Boolean);
  const asked = lines.map((line) => JSON.parse(line) as { method: string; url: string }).map(({ method, url }) => `${method} ${url}`);
  recorded.changes.push(
    ...asked.filter(
      (line) => !/^GET |\/token$|:(?:testIamPermissions|getIamPolicy|generateIdToken|troubleshoot)$|\/entries:list$/.test(line),
    ),
  );
  return [...recorded.changes];
}

test("undocumented keys and missing keys are found", () => {
  const documented = { profile: "work", name: "region", value: null };
  expectDocumented("config set", documented);
  expect(() => expectDocumented("config set", { ...documented, more: 1 })).toThrow("more is not described");
  expect(() => expectDocumented("config set", { profile: "work", name: "region" })).toThrow("value is not there");
  expect(() => expectDocumented("config profiles", { profiles: [{ name: "work", settings: {} }] })).toThrow(
    "profiles[].current is not there",
  );
  expect(() => expectDocumented("emulator logs", {})).toThrow("[].* is not there");
  expect(() => expectDocumented("no such command", {})).toThrow("no section");
});

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { overlay } from "../src/context.ts";
import { folder, runCli } from "./helpers/command-line.ts";
import { commandPaths } from "./helpers/command-tree.ts";
import { HELLO, startEmulator, tinyService } from "./helpers/emulator.ts";
import { documentedKeys, expectDocumented } from "./helpers/json-document.ts";

const TESTS = fileURLToPath(new URL(".", import.meta.url));

let emulator: Awaited<ReturnType<typeof startEmulator>>;
beforeAll(async () => {
  emulator = await startEmulator(afterAll);
});

test("docs/json.md has a section for every command, and for nothing else", () => {
  const sections = [...documentedKeys().keys()].filter((name) => !name.includes(" --"));
  expect(sections.toSorted()).toEqual(commandPaths().toSorted());
});

test("a test holds every section with keys against a real answer", () => {
  const sources = (readdirSync(TESTS, { recursive: true }) as string[])
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => readFileSync(join(TESTS, name), "utf8"))
    .join("\n");
  const held = new Set([...sources.matchAll(/(?:expectDocumented\(|documented: )"([^"]+)"/g)].map(([, command]) => command));
  const open = [...documentedKeys()].filter(([name, keys]) => keys.length > 0 && !held.has(name)).map(([name]) => name);
  expect(open).toEqual([]);
});

/** In this order, on one emulator. */
const RUNS: readonly { readonly documented: string; readonly argv: string }[] = [
  { documented: "build", argv: "build . -s hello" },
  { documented: "deploy", argv: "deploy hello --tag next --env GREETING=hello" },
  { documented: "grant", argv: "grant hello --wait" },
  { documented: "describe", argv: "describe hello" },
  { documented: "members", argv: "members hello" },
  { documented: "list", argv: "list" },
  { documented: "traffic", argv: "traffic hello" },
  { documented: "env set", argv: "env set hello MOOD=good" },
  { documented: "env list", argv: "env list hello" },
  { documented: "traffic", argv: "traffic hello --to LATEST=100 --tag best=LATEST" },
  { documented: "rollback", argv: "rollback hello" },
  { documented: "logs", argv: "logs hello" },
  { documented: "invoke", argv: "invoke -s hello -i" },
  { documented: "invoke", argv: "invoke -s hello -o body" },
  { documented: "token", argv: "token https://example.com" },
  { documented: "inspect", argv: "inspect --audience https://example.com" },
  { documented: "inspect --why", argv: "inspect hello --why" },
  { documented: "revoke", argv: "revoke hello" },
  { documented: "env unset", argv: "env unset hello MOOD" },
  { documented: "delete", argv: "delete hello --yes" },
  { documented: "up --plan", argv: "up -s risen --plan" },
  { documented: "up", argv: "up -s risen" },
  { documented: "down --plan", argv: "down risen --plan" },
  { documented: "down", argv: "down risen --yes" },
  { documented: "accounts create", argv: "accounts create key-holder" },
  { documented: "accounts list", argv: "accounts list" },
  { documented: "keys create", argv: "keys create key.json --account key-holder" },
  { documented: "keys list", argv: "keys list --account key-holder" },
  { documented: "keys rotate", argv: "keys rotate key.json --yes" },
  { documented: "keys delete", argv: "keys delete key.json --yes" },
  { documented: "accounts delete", argv: "accounts delete key-holder --yes" },
  { documented: "doctor", argv: "doctor node clock project" },
  { documented: "ci github", argv: "ci github -s hello --repo me/hello --branch main" },
  { documented: "ci gitlab", argv: "ci gitlab -s hello --repo me/hello --branch main --print" },
  { documented: "ci cloudbuild", argv: "ci cloudbuild -s hello --apply" },
  { documented: "token revoke", argv: "token revoke" },
  { documented: "init", argv: "init new --service hello" },
  { documented: "emulator status", argv: "emulator status" },
  { documented: "emulator status", argv: "emulator status --data-dir nowhere" },
  { documented: "emulator logs", argv: "emulator logs" },
  { documented: "emulator seed", argv: "emulator seed seed.json" },
  { documented: "emulator export", argv: "emulator export" },
  { documented: "emulator export", argv: "emulator export written.json" },
  { documented: "emulator fault add", argv: "emulator fault add --match /x --status 503 --times 1" },
  { documented: "emulator fault list", argv: "emulator fault list" },
  { documented: "emulator fault remove", argv: "emulator fault remove 1" },
  { documented: "emulator fault clear", argv: "emulator fault clear" },
  { documented: "emulator clock", argv: "emulator clock +1s" },
  { documented: "emulator env", argv: "emulator env" },
  { documented: "config set", argv: "config set region us-east1" },
  { documented: "config get", argv: "config get region" },
  { documented: "config list", argv: "config list" },
  { documented: "config profiles", argv: "config profiles" },
  { documented: "config unset", argv: "config unset region" },
  { documented: "config use", argv: "config use work" },
  { documented: "config delete", argv: "config delete work" },
  { documented: "config schema", argv: "config schema" },
  { documented: "completion", argv: "completion bash" },
  { documented: "emulator reset", argv: "emulator reset --yes" },
];

test("every document has the keys of its section", { timeout: 180_000 }, async () => {
  const seed = JSON.stringify({ projects: [{ project: emulator.project, accounts: [{ email: "my-caller" }] }] });
  const cwd = folder({ ...tinyService(HELLO), "seed.json": seed });
  const around = { HOME: folder(), PATH: "", CLOUDRUN_OAUTH_VIA: "api" };
  const env = overlay(around, emulator.status().environment) as Record<string, string>;
  for (const { documented, argv } of RUNS) {
    const { exitCode, stdout, stderr } = await runCli([...argv.split(" "), "--json"], { env, cwd });
    expect({ argv, exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ argv, exitCode: 0, stderr: "" });
    expectDocumented(documented, JSON.parse(stdout));
  }
});

test("a key that is not described, and one that is not there, are found", () => {
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

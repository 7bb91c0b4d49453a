import { execFile } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mergeEnvironment } from "../../../src/context/merge-environment.ts";
import { folder, runCli } from "../../helpers/command-line.ts";
import { HELLO, startEmulator, tinyService } from "../../helpers/emulator.ts";
import { openPty, type Pty } from "../../helpers/pty.ts";
import { testNeeding } from "../../helpers/requirements.ts";

const BIN = fileURLToPath(new URL("../../../bin/cloudrun-oauth.js", import.meta.url));

let emulator: Awaited<ReturnType<typeof startEmulator>>;
beforeAll(async () => {
  emulator = await startEmulator(afterAll);
  await emulator.deploy("hello", tinyService(HELLO));
  await emulator.grant("hello", "domain:example.org");
});

/** A folder with a service's source, and a PATH with a `cloudrun-oauth` that completes like the built one, and otherwise prints its arguments. */
function createShellEnvironment() {
  const bin = folder();
  writeFileSync(
    join(bin, "cloudrun-oauth"),
    `#!/bin/sh\ncase "$1" in __complete|completion) exec '${process.execPath}' '${BIN}' "$@";; esac\nprintf 'ran:'; printf ' <%s>' "$@"; echo\n`,
  );
  chmodSync(join(bin, "cloudrun-oauth"), 0o755);
  const home = folder({ ".config/cloudrun-oauth/config.json": '{"profiles": {"work": {}}}' });
  const base = { HOME: home, PATH: `${bin}:/usr/bin:/bin`, PS1: "$ ", CLOUDRUN_OAUTH_VIA: "api" };
  const { GOOGLE_APPLICATION_CREDENTIALS, CLOUDRUN_OAUTH_EMULATOR, PROJECT_ID } = emulator.status().environment;
  const env = mergeEnvironment(base, {
    ...emulator.status().environment,
    GOOGLE_APPLICATION_CREDENTIALS,
    CLOUDRUN_OAUTH_EMULATOR,
    PROJECT_ID,
  });
  return { env, cwd: folder({ "greeter/Dockerfile": "", "caller.json": "" }) };
}

/** What the user types, and the command that runs. */
const LINES: readonly (readonly [typed: string, ran: string])[] = [
  ["cloudrun-oauth dep\t", "ran: <deploy>"],
  ["cloudrun-oauth --json describe hel\t", "ran: <--json> <describe> <hello>"],
  ["cloudrun-oauth revoke hello --member domain:ex\t", "ran: <revoke> <hello> <--member> <domain:example.org>"],
  ["cloudrun-oauth --region=me-w\t", "ran: <--region=me-west1>"],
  ["cloudrun-oauth --profile wo\t", "ran: <--profile> <work>"],
  ["cloudrun-oauth deploy --source gre\t", "ran: <deploy> <--source> <greeter>"],
];

async function typeLines(pty: Pty): Promise<void> {
  for (const [typed, ran] of LINES) {
    pty.type(typed);
    // A shell that is still completing would read Enter as a part of it.
    await pty.waitFor(/\S/);
    pty.type("\r");
    await pty.waitFor(/ran:[^\n]*\n/);
    // bash keeps the slash after a folder, zsh removes it.
    expect([typed, /ran:.*>/.exec(pty.shown().slice(pty.shown().lastIndexOf("ran:")))?.[0].replace("/>", ">")]).toEqual([typed, ran]);
  }
}

testNeeding(["script", "bash"], "bash completes commands, flags, and current values", async ([script = "", bash = ""]) => {
  const pty = openPty(script, `exec ${bash} --norc --noprofile -i`, createShellEnvironment());
  pty.type("source <(cloudrun-oauth completion bash); echo rea''dy\r");
  await pty.waitFor("ready");
  await typeLines(pty);
  pty.type("cloudrun-oauth config \t\t");
  await pty.waitFor(/profiles +set/);
});

testNeeding(["script", "zsh"], "zsh completes commands, flags, and current values, and describes them", async ([script = "", zsh = ""]) => {
  const pty = openPty(script, `exec ${zsh} -f -i`, createShellEnvironment());
  pty.type("autoload -U compinit; compinit -D -u; source <(cloudrun-oauth completion zsh); echo rea''dy\r");
  await pty.waitFor("ready");
  await typeLines(pty);
  pty.type("cloudrun-oauth config \t\t");
  await pty.waitFor(/unset +-- Remove a setting from the active profile/);
});

testNeeding("fish", "fish completes commands, flags, and current values, and describes them", async ([fish = ""]) => {
  const { env, cwd } = createShellEnvironment();
  const lines = [...LINES.map(([typed]) => typed.trimEnd()), "cloudrun-oauth config un"];
  const script = `cloudrun-oauth completion fish | source; for line in $argv; complete -C $line; echo ====; end`;
  const { stdout } = await promisify(execFile)(fish, ["--no-config", "-c", script, ...lines], { env: { ...env }, cwd });
  const completed = stdout.split("====\n").map((answer) => answer.trim().split("\t")[0]?.replace(/\/$/, ""));
  expect(completed.slice(0, LINES.length)).toEqual(LINES.map(([, ran]) => / <([^>]*)>$/.exec(ran)?.[1]));
  expect(stdout).toContain("unset\tRemove a setting from the active profile\n");
});

test.for([
  ["", ["init", "describe", "help"]],
  ["emulator sto", ["stop"]],
  ["help emulator sto", ["stop"]],
  ["env set hel", ["hello"]],
  ["invoke hel", ["hello"]],
  ["deploy --allow", ["--allow-unauthenticated"]],
  ["deploy --pro", ["--project", "--profile"]],
  ["invoke -s hel", ["hello"]],
  ["revoke hello --member dom", ["domain:example.org"]],
  ["-p other-project describe hel", []],
  ["-r me-w", ["me-west1"]],
  ["init --template f", ["flask", "fastapi"]],
  ["config set via ", ["gcloud", "api"]],
  ["config get pro", ["project"]],
  ["config use ", ["default", "work"]],
  ["completion ", ["bash", "zsh", "fish"]],
  ["token --credentials ", [":files"]],
  ["build ", [":folders"]],
  ["emulator exec -- ", [":programs"]],
  ["emulator exec -- npm ", [":files"]],
  ["no-such-command ", []],
  ["deploy hello too many ", []],
] as const)("'%s' is completed", async ([line, values]) => {
  const { env, cwd } = createShellEnvironment();
  const { exitCode, stdout, stderr } = await runCli(["__complete", "--", ...line.split(" ")], { env: env as Record<string, string>, cwd });
  const completed = stdout.split("\n").map((text) => text.split("\t")[0]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(completed.filter((text) => (line === "" ? ["init", "describe", "help"].includes(text ?? "") : text))).toEqual(values);
});

test("without an emulator, with a broken profile file, or with missing credentials, completion prints nothing", async () => {
  const { env, cwd } = createShellEnvironment();
  const broken = folder({ "config.json": "{" });
  for (const [more, ...words] of [
    [{ CLOUDRUN_OAUTH_EMULATOR: "http://127.0.0.1:1", CLOUDRUN_OAUTH_CACHE_DIR: folder() }, "describe", ""],
    [{ CLOUDRUN_OAUTH_CONFIG_DIR: broken }, "config", "use", ""],
    [{ GOOGLE_APPLICATION_CREDENTIALS: "/nowhere.json", CLOUDRUN_OAUTH_CACHE_DIR: folder() }, "describe", ""],
  ] as const)
    expect(await runCli(["__complete", "--", ...words], { env: { ...env, ...more } as Record<string, string>, cwd })).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: "",
    });
});

test("an answer of a moment ago is used again", async () => {
  const { env, cwd } = createShellEnvironment();
  const ask = (more = {}) => runCli(["__complete", "--", "describe", ""], { env: { ...env, ...more } as Record<string, string>, cwd });
  const first = await ask();
  expect(first.stdout).toMatch(/^hello\thttps:/);
  expect(await ask({ GOOGLE_APPLICATION_CREDENTIALS: "/nowhere.json" })).toEqual(first);
});

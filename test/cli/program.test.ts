import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { GlobalOptions } from "../../src/context/global-flags.ts";
import { createProgram } from "../../src/cli/program.ts";
import { runCli } from "../helpers/command-line.ts";
import { commandOf, listCommands, createCommandTree, traverse } from "../helpers/command-tree.ts";

const PATHS = [...traverse(createCommandTree())].map(([path]) => path);

async function readHelp(path: readonly string[], ...flags: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCli(["help", ...path, ...flags]);
  expect({ path, exitCode, stderr }).toEqual({ path, exitCode: 0, stderr: "" });
  return stdout;
}

test("the help of every command fits 80 columns, with --all too, and --help prints it", async () => {
  for (const path of PATHS) {
    const help = await readHelp(path);
    expect(await runCli([...path, "--help"])).toMatchObject({ stdout: help });
    expect(help).toContain(`\nUsage: ${["cloudrun-oauth", ...path].join(" ")}`);
    const lines = [...help.split("\n"), ...(await readHelp(path, "--all")).split("\n")];
    expect(lines.filter((line) => line.length > 80 && !line.startsWith("Documentation: "))).toEqual([]);
  }
}, 30_000);

test("a wider terminal gets wider help, up to 100 columns", async () => {
  const helpAt = async (columns: number) => {
    const stdout = Object.assign(new PassThrough(), { columns });
    await createProgram(async () => {}, { stdout }).parseAsync(["help", "ci", "github"], { from: "user" });
    return Math.max(
      ...String(stdout.read())
        .split("\n")
        .map(({ length }) => length),
    );
  };
  expect(await helpAt(60)).toBeLessThanOrEqual(60);
  expect(await helpAt(100)).toBeGreaterThan(80);
  expect(await helpAt(200)).toBe(await helpAt(100));
});

test("the root's help is short: every command under its heading, the common flags, and examples", async () => {
  const help = await readHelp([]);
  expect(help.trimEnd().split("\n").length).toBeLessThanOrEqual(60);
  expect(help.replaceAll(/ {2,}.*$/gm, "").match(/^\S.*:$/gm)).toEqual([
    "Create and deploy:",
    "Call a service:",
    "Troubleshoot:",
    "Operate:",
    "Local development:",
    "Settings:",
    "Global flags (all: cloudrun-oauth help --all):",
    "Examples:",
  ]);
  expect(
    createCommandTree().commands.filter(
      (command) =>
        !help.includes(`
  ${command.name()} `),
    ),
  ).toEqual([]);
  const everything = await readHelp([], "--all");
  expect(everything).toContain("\n  emulator fault add ");
  expect(everything).toContain("      --dry-run ");
  expect(help).not.toContain("--dry-run");
});

test("a command's help has its own flags and points to the global ones", async () => {
  const help = await readHelp(["describe"]);
  expect(help).not.toContain("--project");
  expect(help).toMatch(/\nGlobal flags: cloudrun-oauth help --all\n$/);
  expect(await readHelp(["describe"], "--all")).toContain("\n  -p, --project <id> ");
});

test.for(["emulator", "config", "keys", "accounts", "env", "ci", "emulator fault"])("%s alone prints its help", async (noun) => {
  const path = noun.split(" ");
  expect(await runCli(path)).toEqual({ exitCode: 0, stdout: await readHelp(path), stderr: "" });
});

test("every command has examples in its help; each one parses, and one is of the command itself", async () => {
  const shown = new Map<string, readonly string[]>();
  for (const path of PATHS) {
    const examples = /\nExamples:\n([\s\S]*)/.exec(await readHelp(path))?.[1] ?? "";
    const commands: string[] = [];
    for (const argv of readExamples(examples)) commands.push(await commandOf(argv));
    shown.set(path.join(" "), commands);
  }
  expect(listCommands().filter((path) => !shown.get(path)?.includes(path))).toEqual([]);
  expect([...shown.values()].flat().length).toBeGreaterThan(listCommands().length);
}, 30_000);

/** The arguments of each `cloudrun-oauth` command in these lines. */
function readExamples(lines: string): string[][] {
  return lines
    .replaceAll(/ \\\n +/g, " ")
    .split("\n")
    .map((line) => line.replace(/ +# .*$/, ""))
    .flatMap((line) => line.split(/ && | > | \| |\$\(|\)/))
    .filter((line) => /^\s*cloudrun-oauth /.test(line))
    .map((line) =>
      [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => single ?? double ?? bare ?? "").slice(1),
    );
}

test("with the name of the command that will run, the tree has this command only", () => {
  for (const command of createCommandTree().commands.filter((known) => known.name() !== "help")) {
    const tree = createProgram(async () => {}, { stdout: new PassThrough() }, command.name());
    const paths = (root: typeof tree) => [...traverse(root)].map(([path]) => path.join(" "));
    expect(tree.commands.map(paths)).toEqual([paths(command)]);
  }
});

test("an empty command line prints the help", async () => {
  expect(await runCli([])).toEqual(await runCli(["--help"]));
});

test("a global flag can precede the command, and follow it", async () => {
  const seen: GlobalOptions[] = [];
  for (const argv of [
    ["-p", "my-project", "--json", "-q", "config", "list"],
    ["config", "-p", "my-project", "list", "--json", "-q"],
    ["config", "list", "--quiet", "--project", "my-project", "--json"],
  ]) {
    const tree = createProgram(async (options) => void seen.push(options), { stdout: new PassThrough() });
    await tree.parseAsync(argv, { from: "user" });
  }
  expect(seen).toHaveLength(3);
  expect(seen).toEqual(seen.map(() => ({ project: "my-project", json: true, quiet: true, color: true })));
});

test.for([
  ["deploy hello --set-env-vars A=1,B=2 --env C=3", { env: ["A=1", "B=2", "C=3"] }],
  ["deploy hello --update-env-vars ^;^A=1,2;B=3", { env: ["A=1,2", "B=3"] }],
  ["build --tag us-docker.pkg.dev/p/r/i", { image: "us-docker.pkg.dev/p/r/i" }],
  ["traffic --to-revisions LATEST=10,a=90 --update-tags next=a", { to: ["LATEST=10", "a=90"], tag: ["next=a"] }],
  ["traffic --set-tags b=c --remove-tags d,e", { tag: ["b=c"], removeTag: ["d", "e"] }],
  ["logs hello --freshness 1d", { since: expect.anything() }],
  ["keys create key.json --iam-account caller", { account: "caller" }],
  ["keys list --iam-account caller", { account: "caller" }],
  ["env set hello --env-file .env", { fromFile: ".env" }],
  ["keys delete key.json --iam-account caller", { account: "caller" }],
] as const)("gcloud's flags work, and aren't in the help: %s", async ([line, options]) => {
  const seen: object[] = [];
  const tree = createProgram(async (given) => void seen.push(given), { stdout: new PassThrough() });
  await tree.parseAsync(line.split(" "), { from: "user" });
  expect(seen).toEqual([expect.objectContaining(options)]);
  const path = line.split(" ").slice(0, /^(?:keys|env)/.test(line) ? 2 : 1);
  expect(await readHelp(path)).not.toMatch(/env-vars|env-file|-tags|to-revisions|freshness|iam-account/);
});

test.for([
  [["deplyo"], 'Unknown command "deplyo".', 'Did you mean "deploy"?', ["--help"]],
  [["help", "emulator", "strat"], 'Unknown command "strat".', 'Did you mean "start"?', ["help", "--all"]],
  [["deploy", "--imag", "x"], 'Unknown flag "--imag".', 'Did you mean "--image"?', ["deploy", "--help"]],
  [["emulator", "strat"], 'Unknown command "strat".', 'Did you mean "start"?', ["emulator", "--help"]],
  [["build", "a", "b"], "Too many arguments: expected 1, got 2.", null, ["build", "--help"]],
  [["config", "get"], "Missing argument <name>.", null, ["config", "get", "--help"]],
  [["emulator", "fault", "add"], "Missing flag --match.", null, ["emulator", "fault", "add", "--help"]],
  [["deploy", "--image"], "Missing value for --image.", null, ["deploy", "--help"]],
  [["deploy", "-p", "x", "--max-time", "1"], 'Unknown flag "--max-time".', null, ["deploy", "--help"]],
  [["--timeout", "soon", "build"], 'Invalid duration "soon" for --timeout. Examples: 90s, 1500ms, 5m.', null, undefined],
  [["emulator", "start", "--port", "x"], 'Invalid number "x" for --port. Use a port from 0 to 65535; 0 picks a free one.', null, undefined],
  [["completion", "tcsh"], 'Invalid shell "tcsh". Allowed values: bash, zsh, fish.', null, undefined],
  [["describe", "--", "x"], "This command doesn't take arguments after --.", null, undefined],
] as const)("%j is a usage error that names the mistake", async ([argv, message, hint, usage]) => {
  const { exitCode, stdout, stderr } = await runCli(["--json", ...argv]);
  const { error } = JSON.parse(stderr.trimEnd().split("\n").at(-1)!) as { error: object };
  expect({ exitCode, stdout, error }).toEqual({
    exitCode: 2,
    stdout: "",
    error: expect.objectContaining({
      message,
      hint,
      next: usage ? [{ text: expect.stringMatching(/^For usage, run$|^To list/), command: ["cloudrun-oauth", ...usage] }] : [],
    }),
  });
});

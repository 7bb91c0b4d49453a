import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { GlobalOptions } from "../../src/context/global-flags.ts";
import { createProgram } from "../../src/cli/program.ts";
import { runCli } from "../helpers/command-line.ts";
import { listCommands, createCommandTree, traverse } from "../helpers/command-tree.ts";

const PATHS = [...traverse(createCommandTree())].map(([path]) => path);

test.for(PATHS)("the help of %j goes to stdout and exits with 0", async (path) => {
  const { exitCode, stdout, stderr } = await runCli([...path, "--help"]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatchSnapshot();
});

test("every command has examples in its help; each one parses, and one is of the command itself", async () => {
  const shown = new Map<string, readonly string[]>();
  for (const path of PATHS) {
    const examples = / *Examples:\n([\s\S]*)/.exec((await runCli([...path, "--help"])).stdout)?.[1] ?? "";
    const commands: string[] = [];
    for (const argv of readExamples(examples)) commands.push(await commandOf(argv));
    shown.set(path.join(" "), commands);
  }
  expect(listCommands().filter((path) => !shown.get(path)?.includes(path))).toEqual([]);
  expect([...shown.values()].flat().length).toBeGreaterThan(listCommands().length);
});

/** The arguments of each `cloudrun-oauth` command in these lines. */
function readExamples(lines: string): string[][] {
  return lines
    .split("\n")
    .map((line) => line.replace(/ +# .*$/, ""))
    .flatMap((line) => line.split(/ && | > | \| |\$\(|\)/))
    .filter((line) => /^\s*cloudrun-oauth /.test(line))
    .map((line) =>
      [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => single ?? double ?? bare ?? "").slice(1),
    );
}

/** The path of the command that these arguments run. Throws if they don't parse, or if the command takes no arguments after --. */
async function commandOf(argv: readonly string[]): Promise<string> {
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  let path = "";
  const tree = createProgram(
    async (_, { passesArguments }) => {
      if (end < argv.length && !passesArguments) throw new Error(`${argv.join(" ")}: takes no arguments after --`);
    },
    { stdout: new PassThrough(), stderr: new PassThrough() },
  );
  tree.hook("preAction", (_, action) => {
    for (let command = action; command.parent; command = command.parent) path = `${command.name()} ${path}`.trim();
  });
  await tree.parseAsync(argv.slice(0, end), { from: "user" });
  return path;
}

test("with the name of the command that will run, the tree has this command only", () => {
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
  for (const command of createCommandTree().commands) {
    const tree = createProgram(async () => {}, streams, command.name());
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
    const tree = createProgram(async (options) => void seen.push(options), { stdout: new PassThrough(), stderr: new PassThrough() });
    await tree.parseAsync(argv, { from: "user" });
  }
  expect(seen).toHaveLength(3);
  expect(seen).toEqual(seen.map(() => ({ project: "my-project", json: true, quiet: true, color: true })));
});

test.for([
  [["deplyo"], "Unknown command 'deplyo'.", "Did you mean deploy?"],
  [["deploy", "--imag", "x"], "Unknown option '--imag'.", "Did you mean --image?"],
  [["emulator", "strat"], "Unknown command 'strat'.", "Did you mean start?"],
  [
    ["build", "a", "b"],
    "Too many arguments for 'build'. Expected 1 argument but got 2.",
    "cloudrun-oauth build [options] [dir] [-- gcloud flags]; all about it: cloudrun-oauth build --help",
  ],
  [
    ["config", "get"],
    "Missing required argument 'name'.",
    "cloudrun-oauth config get [options] <name>; all about it: cloudrun-oauth config get --help",
  ],
  [
    ["deploy", "--image"],
    "Option '--image <reference>' argument missing.",
    "cloudrun-oauth deploy [options] [service] [-- gcloud flags]; all about it: cloudrun-oauth deploy --help",
  ],
  [["--timeout", "soon", "build"], "Option '--timeout <duration>' argument 'soon' is invalid. Say it as 90, 90s, 1500ms or 5m.", undefined],
  [["describe", "--", "x"], "This command doesn't take arguments after --.", undefined],
] as const)("%j is a usage error that names the mistake", async ([argv, message, hint]) => {
  const { exitCode, stdout, stderr } = await runCli(
    [...argv, "--json"].toSorted((a, b) => Number(b === "--json") - Number(a === "--json")),
  );
  const { error } = JSON.parse(stderr.trimEnd().split("\n").at(-1)!) as { error: { message: string; hint: string | null } };
  expect({ exitCode, stdout, message: error.message }).toEqual({ exitCode: 2, stdout: "", message });
  if (hint) expect(error.hint).toBe(hint);
});

test("a command without its subcommand prints its help on stderr", async () => {
  const { exitCode, stdout, stderr } = await runCli(["emulator"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toMatch(
    /^Usage: cloudrun-oauth emulator[\s\S]*Error: cloudrun-oauth emulator needs a sub-command\. \[USAGE\]\n  cloudrun-oauth emulator --help\n$/,
  );
});

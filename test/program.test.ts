import type { Command } from "commander";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { GlobalOptions } from "../src/program.ts";
import { createProgram } from "../src/program.ts";
import { runCli } from "./helpers/command-line.ts";

function program(): Command {
  return createProgram(async () => {}, { stdout: new PassThrough(), stderr: new PassThrough() });
}

function* walk(command: Command, path: readonly string[] = []): Generator<readonly string[]> {
  yield path;
  for (const child of command.commands) yield* walk(child, [...path, child.name()]);
}

test.for([...walk(program())])("the help of %j goes to stdout, and leaves 0", async (path) => {
  const { exitCode, stdout, stderr } = await runCli([...path, "--help"]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatchSnapshot();
  if (isLeaf(path)) expect(stdout).toContain("\nExamples:\n");
});

function isLeaf(path: readonly string[]): boolean {
  let command = program();
  for (const name of path) command = command.commands.find((child) => child.name() === name)!;
  return command.commands.length === 0;
}

test("nothing on the command line prints the help", async () => {
  expect(await runCli([])).toEqual(await runCli(["--help"]));
});

test("an option for every command may stand before the command and after it", async () => {
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
    "cloudrun-oauth build [options] [dir]; all about it: cloudrun-oauth build --help",
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
  [["describe", "--", "x"], "What stands behind -- means nothing to this command.", undefined],
] as const)("%j is refused by name", async ([argv, message, hint]) => {
  const { exitCode, stdout, stderr } = await runCli(
    [...argv, "--json"].toSorted((a, b) => Number(b === "--json") - Number(a === "--json")),
  );
  const { error } = JSON.parse(stderr.trimEnd().split("\n").at(-1)!) as { error: { message: string; hint: string | null } };
  expect({ exitCode, stdout, message: error.message }).toEqual({ exitCode: 2, stdout: "", message });
  if (hint) expect(error.hint).toBe(hint);
});

test("a command that has sub-commands shows them on stderr where none is named", async () => {
  const { exitCode, stdout, stderr } = await runCli(["emulator"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toMatch(
    /^Usage: cloudrun-oauth emulator[\s\S]*error: cloudrun-oauth emulator needs a sub-command\. \[USAGE\]\nhint: cloudrun-oauth emulator --help\n$/,
  );
});

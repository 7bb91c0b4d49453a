import type { Command } from "commander";
import { PassThrough } from "node:stream";
import { createProgram } from "../../src/cli/program.ts";

/** The command tree, whose commands do nothing. */
export function commandTree(): Command {
  return createProgram(async () => {}, { stdout: new PassThrough().resume(), stderr: new PassThrough().resume() });
}

/** All commands that do something, as they are typed: those without sub-commands, and those that take arguments besides. */
export function commandPaths(): string[] {
  return [...walk(commandTree())].filter(([, command]) => runs(command)).map(([path]) => path.join(" "));
}

/** Every command with its path, those that have sub-commands too. */
export function* walk(command: Command, path: readonly string[] = []): Generator<readonly [path: readonly string[], command: Command]> {
  yield [path, command];
  for (const child of command.commands) yield* walk(child, [...path, child.name()]);
}

function runs({ commands, registeredArguments }: Command): boolean {
  return commands.length === 0 || registeredArguments.length > 0;
}

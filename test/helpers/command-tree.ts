import type { Command } from "commander";
import { PassThrough } from "node:stream";
import { createProgram } from "../../src/cli/program.ts";

/** Creates the command tree; its commands do nothing. */
export function createCommandTree(): Command {
  return createProgram(async () => {}, { stdout: new PassThrough().resume(), stderr: new PassThrough().resume() });
}

/** All commands that do something, as they are typed. */
export function listCommands(): string[] {
  return [...traverse(createCommandTree())].filter(([, command]) => isExecutable(command)).map(([path]) => path.join(" "));
}

/** Every command with its path, commands that only have subcommands among them. */
export function* traverse(command: Command, path: readonly string[] = []): Generator<readonly [path: readonly string[], command: Command]> {
  yield [path, command];
  for (const child of command.commands) yield* traverse(child, [...path, child.name()]);
}

function isExecutable({ commands, registeredArguments }: Command): boolean {
  return commands.length === 0 || registeredArguments.length > 0;
}

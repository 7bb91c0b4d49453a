import type { Command } from "commander";
import { PassThrough } from "node:stream";
import { createProgram } from "../../src/cli/program.ts";

/** Creates the command tree; its commands do nothing. */
export function createCommandTree(): Command {
  return createProgram(async () => {}, { stdout: new PassThrough().resume() });
}

/** All commands that do something, as they are typed, without `help`. */
export function listCommands(): string[] {
  return [...traverse(createCommandTree())]
    .filter(([, command]) => isExecutable(command))
    .map(([path]) => path.join(" "))
    .filter((path) => path !== "help");
}

/** Every command with its path, commands that only have subcommands among them. */
export function* traverse(command: Command, path: readonly string[] = []): Generator<readonly [path: readonly string[], command: Command]> {
  yield [path, command];
  for (const child of command.commands) yield* traverse(child, [...path, child.name()]);
}

function isExecutable({ commands, registeredArguments }: Command): boolean {
  return commands.length === 0 || registeredArguments.length > 0;
}

/** The path of the command that these arguments run. Throws if they don't parse, or if the command takes no arguments after --. */
export async function commandOf(argv: readonly string[]): Promise<string> {
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  let path = "";
  const tree = createProgram(
    async (_, { passesArguments }) => {
      if (end < argv.length && !passesArguments) throw new Error(`${argv.join(" ")}: takes no arguments after --`);
    },
    { stdout: new PassThrough().resume() },
  );
  tree.hook("preAction", (_, action) => {
    for (let command = action; command.parent; command = command.parent) path = `${command.name()} ${path}`.trim();
  });
  await tree.parseAsync(argv.slice(0, end), { from: "user" });
  return path;
}

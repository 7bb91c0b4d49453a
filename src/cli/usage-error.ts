import { type Command, CommanderError } from "commander";
import { CliError } from "../errors/cli-error.ts";

/**
 * What to throw for an error of commander: USAGE with the usage line of the command, or undefined if commander has only printed help or the
 * version. Any other error is returned as it is.
 */
export function toUsageError(error: unknown, program: Command, argv: readonly string[]): unknown {
  if (!(error instanceof CommanderError)) return error;
  if (error.exitCode === 0) return undefined;
  let command = program;
  for (const word of argv) command = command.commands.find((child) => child.name() === word) ?? command;
  const path: string[] = [];
  for (let ancestor: Command | null = command; ancestor; ancestor = ancestor.parent) path.unshift(ancestor.name());
  const name = path.join(" ");

  // If a subcommand is missing, commander prints the help, and its error has no message.
  if (error.code === "commander.help") return new CliError("USAGE", `${name} needs a sub-command.`, { hint: `${name} --help` });
  const [sentence = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const message = sentence.charAt(0).toUpperCase() + sentence.slice(1);
  return new CliError("USAGE", message.endsWith(".") ? message : `${message}.`, {
    hint: suggestion?.replace(/^\((.*)\)$/, "$1") ?? `${name} ${command.usage()}; all about it: ${name} --help`,
  });
}

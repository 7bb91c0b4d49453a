import { type Command, CommanderError } from "commander";
import { CliError } from "../errors/cli-error.ts";

/**
 * What commander threw, as an error of ours with the usage of the command that was meant; undefined where it has only printed
 * what was asked for. Any other error as it is.
 */
export function readMisuse(error: unknown, program: Command, argv: readonly string[]): unknown {
  if (!(error instanceof CommanderError)) return error;
  if (error.exitCode === 0) return undefined;
  let command = program;
  for (const word of argv) command = command.commands.find((child) => child.name() === word) ?? command;
  const path: string[] = [];
  for (let step: Command | null = command; step; step = step.parent) path.unshift(step.name());
  const name = path.join(" ");

  // Commander says nothing, and prints the help, where a sub-command is missing.
  if (error.code === "commander.help") return new CliError("USAGE", `${name} needs a sub-command.`, { hint: `${name} --help` });
  const [sentence = "", meant] = error.message.replace(/^error: /, "").split("\n");
  const text = sentence.charAt(0).toUpperCase() + sentence.slice(1);
  return new CliError("USAGE", text.endsWith(".") ? text : `${text}.`, {
    hint: meant?.replace(/^\((.*)\)$/, "$1") ?? `${name} ${command.usage()}; all about it: ${name} --help`,
  });
}

import { Argument, Option, type Command } from "commander";
import type { Argument as ArgumentDefinition } from "../context/argument.ts";
import type { Context } from "../context/context.ts";
import type { CommandDefinition, Example } from "../context/define-command.ts";
import type { Flag } from "../context/flag.ts";
import type { GlobalOptions } from "../context/global-flags.ts";

/** Opens a context for the options of the command line, and runs a command in it. */
export type Execute = (
  options: GlobalOptions,
  command: Pick<CommandDefinition, "passesArguments">,
  run: (context: Context) => Promise<number | void>,
) => Promise<void>;

/** Adds a command, with its subcommands, to another one. */
export function addCommand(parent: Command, definition: CommandDefinition, execute: Execute): void {
  const { name, summary, description, group, usage, load, passesArguments, commands = [], examples = [] } = definition;
  const command = parent.command(name).summary(summary).description(description);
  if (group) command.helpGroup(group);
  if (usage) command.usage(usage);
  for (const argument of definition.arguments ?? []) command.addArgument(createArgument(argument));
  for (const flag of definition.flags ?? []) command.addOption(createOption(flag));
  if (definition.takesUnknownFlags) command.allowUnknownOption();
  if (load)
    command.action((...received: unknown[]) =>
      // Commander passes the command itself last.
      execute(command.optsWithGlobals(), { passesArguments }, async (context) => (await load())(context, ...received.slice(0, -1))),
    );
  // A command that takes an argument has no subcommand `help`: the argument can have that value.
  if (load) command.helpCommand(false);
  else command.helpCommand("help [command]", "print a command's help");
  for (const child of commands) addCommand(command, child, execute);
  addExamples(command, examples);
}

/** Appends example lines to a command's help. */
export function addExamples(command: Command, examples: readonly Example[]): void {
  if (examples.length === 0) return;
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, meaning]) => `  ${meaning ? `${line.padEnd(width)}  # ${meaning}` : line}`);
  command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}

function createArgument({ spelling, description, parse, choices }: ArgumentDefinition): Argument {
  const argument = new Argument(spelling, description);
  if (parse) argument.argParser((text) => parse(text));
  if (choices) argument.choices(choices);
  return argument;
}

/** A flag as commander knows it. */
export function createOption(flag: Flag): Option {
  const option = flag.unit ? new MillisecondsOption(flag.spelling, flag.description) : new Option(flag.spelling, flag.description);
  const { parse } = flag;
  if (parse) option.argParser((text) => parse(text));
  if (flag.isRepeatable) option.argParser((value, earlier: readonly string[] = []) => [...earlier, value]);
  if (flag.choices) option.choices(flag.choices);
  if (flag.default !== undefined) option.default(flag.default);
  if (flag.isRequired) option.makeOptionMandatory();
  if (flag.isHidden) option.hideHelp();
  if (flag.group) option.helpGroup(flag.group);
  return option;
}

class MillisecondsOption extends Option {
  override attributeName(): string {
    return `${super.attributeName()}Ms`;
  }
}

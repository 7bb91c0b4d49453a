import { Argument, InvalidArgumentError, Option, type Command } from "commander";
import type { Argument as ArgumentDefinition } from "../context/argument.ts";
import type { Context } from "../context/context.ts";
import type { CommandDefinition } from "../context/define-command.ts";
import type { Flag } from "../context/flag.ts";
import type { GlobalOptions } from "../context/global-flags.ts";
import { CliError } from "../errors/cli-error.ts";
import { addGcloudFlags } from "./gcloud-flags.ts";
import { formatExamples, pathOf, widthOf } from "./help.ts";

/** Opens a context for the options of the command line, and runs a command in it. */
export type Execute = (
  options: GlobalOptions,
  command: Pick<CommandDefinition, "passesArguments">,
  run: (context: Context) => Promise<number | void>,
) => Promise<void>;

/** Adds a command, with its subcommands, to another one. */
export function addCommand(parent: Command, definition: CommandDefinition, execute: Execute): Command {
  const { name, summary, description, usage, load, passesArguments, commands = [], examples = [] } = definition;
  const command = parent.command(name).summary(summary).description(description);
  if (usage) command.usage(usage);
  for (const argument of definition.arguments ?? []) command.addArgument(createArgument(argument));
  for (const flag of definition.flags ?? []) command.addOption(createOption(flag));
  addGcloudFlags(command, pathOf(command).split(" ").slice(1).join(" "));
  if (definition.takesUnknownFlags) command.allowUnknownOption();
  // A command that takes an argument has no subcommand `help`: the argument can have that value.
  if (load)
    command.helpCommand(false).action((...received: unknown[]) =>
      // Commander passes the command itself last.
      execute(command.optsWithGlobals(), { passesArguments }, async (context) => (await load())(context, ...received.slice(0, -1))),
    );
  for (const child of commands) addCommand(command, child, execute);
  if (examples.length > 0) command.addHelpText("after", () => formatExamples(examples, widthOf(command)));
  return command;
}

function createArgument({ spelling, description, parse, choices }: ArgumentDefinition): Argument {
  const argument = new Argument(spelling, description);
  if (choices) argument.choices(choices);
  if (parse ?? choices) argument.argParser(createParser(parse, choices, argument.name()));
  return argument;
}

/** A flag as commander knows it. */
export function createOption(flag: Flag): Option {
  const option = flag.unit ? new MillisecondsOption(flag.spelling, flag.description) : new Option(flag.spelling, flag.description);
  const { parse, choices } = flag;
  const placeholder = /[<[]([\w-]+)/.exec(flag.spelling)?.[1] ?? "value";
  if (choices) option.choices(choices);
  if (parse ?? choices) option.argParser(createParser(parse, choices, placeholder, option.long));
  if (flag.isRepeatable) option.argParser((value, earlier: readonly string[] = []) => [...earlier, value]);
  if (flag.default !== undefined) option.default(flag.default);
  if (flag.isRequired) option.makeOptionMandatory();
  if (flag.group) option.helpGroup(flag.group);
  return option;
}

/** Parses a value, and throws USAGE with the value, its placeholder, and the flag if it isn't valid. */
function createParser(parse: Flag["parse"], choices: readonly string[] | undefined, placeholder: string, flagName?: string | null) {
  return (text: string): unknown => {
    try {
      if (choices && !choices.includes(text)) throw new InvalidArgumentError(`Allowed values: ${choices.join(", ")}.`);
      return parse ? parse(text) : text;
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      throw new CliError("USAGE", `Invalid ${placeholder} "${text}"${flagName ? ` for ${flagName}` : ""}. ${error.message}`, {
        cause: error,
      });
    }
  };
}

class MillisecondsOption extends Option {
  override attributeName(): string {
    return `${super.attributeName()}Ms`;
  }
}

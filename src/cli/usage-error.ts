import { type Command, CommanderError } from "commander";
import { CliError } from "../errors/cli-error.ts";
import { nextStep } from "../errors/next-step.ts";
import { pathOf } from "./help.ts";

/** Commander's messages in our words. */
const MESSAGES: readonly (readonly [RegExp, string])[] = [
  [/^unknown command '(.*)'$/, 'Unknown command "$1".'],
  [/^unknown option '(.*)'$/, 'Unknown flag "$1".'],
  [/^missing required argument '(.*)'$/, "Missing argument <$1>."],
  [/^option '.*?(--[\w-]+).*' argument missing$/, "Missing value for $1."],
  [/^required option '.*?(--[\w-]+).*' not specified$/, "Missing flag $1."],
  [/^too many arguments(?: for '.*')?\. Expected (\d+) arguments? but got (\d+)\.$/, "Too many arguments: expected $1, got $2."],
];

/**
 * What to throw for an error of commander: USAGE, or undefined if commander has only printed help or the version. Any other error is returned as
 * it is.
 */
export function toUsageError(error: unknown, program: Command, argv: readonly string[]): unknown {
  if (!(error instanceof CommanderError)) return error;
  // If a subcommand is missing, commander prints the help.
  if (error.exitCode === 0 || error.code === "commander.help") return undefined;
  let command = program;
  for (const word of argv) command = command.commands.find((child) => child.name() === word) ?? command;
  const [sentence = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const [pattern, message] = MESSAGES.find(([known]) => known.test(sentence)) ?? [/$/, ""];
  return new CliError("USAGE", sentence.replace(pattern, message), {
    hint: suggestion?.replace(/^\((Did you mean )(.*)\?\)$/, '$1"$2"?'),
    next: [nextStep("For usage, run", ...pathOf(command).split(" ").slice(1), "--help")],
  });
}

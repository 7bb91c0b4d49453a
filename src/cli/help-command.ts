import type { Command } from "commander";
import { CliError } from "../errors/cli-error.ts";
import { suggestMatch } from "../errors/closest-match.ts";
import { nextStep } from "../errors/next-step.ts";
import { formatExamples, widthOf } from "./help.ts";

/** Adds `help`, which prints the help of any command. It throws USAGE if the command doesn't exist. */
export function addHelpCommand(program: Command, group: string): void {
  const help = program
    .command("help")
    .helpGroup(group)
    .summary("Show help for a command")
    .description("Shows help for a command.")
    .argument("[command...]", "Command, with its subcommands")
    .option("--all", "Show all global flags, and the subcommands of all commands")
    .action((path: readonly string[], { all = false }: { readonly all?: boolean }) => {
      const command = path.reduce(findSubcommand, program);
      // All commands share this object.
      Object.assign(command.configureHelp(), { showGlobalOptions: all });
      command.outputHelp();
    });
  const examples = [["cloudrun-oauth help emulator start"], ["cloudrun-oauth help --all"]] as const;
  help.addHelpText("after", () => formatExamples(examples, widthOf(help)));
}

function findSubcommand(command: Command, name: string): Command {
  const names = command.commands.map((child) => child.name());
  const found = command.commands.find((child) => child.name() === name);
  if (found) return found;
  throw new CliError("USAGE", `Unknown command "${name}".`, {
    hint: suggestMatch(name, names, (match) => `"${match}"`),
    next: [nextStep("To list all commands", "help", "--all")],
  });
}

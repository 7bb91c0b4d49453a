import { Command } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { accountsCommand } from "../commands/accounts/command.ts";
import { ciCommand } from "../commands/ci/command.ts";
import { configCommand } from "../commands/config/command.ts";
import { completionCommand } from "../commands/config/completion-command.ts";
import { doctorCommand } from "../commands/doctor/command.ts";
import { emulatorCommand } from "../commands/emulator/command.ts";
import { envCommand } from "../commands/env/command.ts";
import { initCommand } from "../commands/init/command.ts";
import { inspectCommand } from "../commands/inspect/command.ts";
import { invokeCommand } from "../commands/invoke/command.ts";
import { keysCommand } from "../commands/keys/command.ts";
import { loadCommand } from "../commands/load/command.ts";
import { logsCommand } from "../commands/logs/command.ts";
import { proxyCommand } from "../commands/proxy/command.ts";
import { buildCommand } from "../commands/service/build-command.ts";
import { deleteCommand } from "../commands/service/delete-command.ts";
import { deployCommand } from "../commands/service/deploy-command.ts";
import { describeCommand } from "../commands/service/describe-command.ts";
import { grantCommand } from "../commands/service/grant-command.ts";
import { listCommand } from "../commands/service/list-command.ts";
import { membersCommand } from "../commands/service/members-command.ts";
import { revokeCommand } from "../commands/service/revoke-command.ts";
import { rollbackCommand } from "../commands/service/rollback-command.ts";
import { trafficCommand } from "../commands/service/traffic-command.ts";
import { tokenCommand } from "../commands/token/command.ts";
import { downCommand, upCommand } from "../commands/up/command.ts";
import { quickstartCommand } from "../commands/up/quickstart-command.ts";
import { GLOBAL_FLAGS } from "../context/global-flags.ts";
import type { ProcessIo } from "../context/process-io.ts";
import { addCommand, addExamples, createOption, type Execute } from "./add-command.ts";

/** In the order of the root's help. */
export const COMMANDS = [
  initCommand,
  buildCommand,
  deployCommand,
  describeCommand,
  grantCommand,
  revokeCommand,
  membersCommand,
  upCommand,
  downCommand,
  ciCommand,
  invokeCommand,
  tokenCommand,
  inspectCommand,
  doctorCommand,
  logsCommand,
  accountsCommand,
  keysCommand,
  listCommand,
  trafficCommand,
  rollbackCommand,
  deleteCommand,
  envCommand,
  proxyCommand,
  loadCommand,
  quickstartCommand,
  emulatorCommand,
  configCommand,
  completionCommand,
];

/**
 * Builds the command tree, and runs nothing: the code of a command is imported when it runs. Every start waits for the tree, so if `name` is the
 * name of a command, the tree has this command only.
 */
export function createProgram(execute: Execute, { stdout, stderr }: Pick<ProcessIo, "stdout" | "stderr">, name?: string): Command {
  const program = new Command("cloudrun-oauth");
  program
    .description(
      "Private Cloud Run services, from an empty folder to an authenticated call:\nin Google Cloud, or on this machine with no account at all.",
    )
    .usage("<command> [options]")
    .version(packageJson.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .addHelpCommand(new Command("help").argument("[command]").description("print a command's help").helpGroup("Settings:"))
    // Only the root's options apply everywhere: those of `token` mean nothing to `token revoke`.
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: (command) => (command === program ? [] : [...program.options]),
    })
    // Subcommands inherit this. report-error.ts prints the errors.
    .configureOutput({ writeOut: (text) => void stdout.write(text), writeErr: (text) => void stderr.write(text), outputError: () => {} })
    .exitOverride()
    .optionsGroup("Options for every command:");
  for (const flag of GLOBAL_FLAGS) program.addOption(createOption(flag));

  const named = COMMANDS.filter((command) => command.name === name);
  for (const command of named.length > 0 ? named : COMMANDS) addCommand(program, command, execute);
  addExamples(program, [
    ["cloudrun-oauth quickstart", "all of it on this machine, with no account"],
    ["cloudrun-oauth init hello && cd hello", "a service to begin with"],
    ["cloudrun-oauth up", "into your project, private, and called; or step by step:"],
    ["cloudrun-oauth build && cloudrun-oauth deploy", "an image, a service"],
    ["cloudrun-oauth grant --member caller@my-project.iam.gserviceaccount.com", "who may call it"],
    ["cloudrun-oauth invoke --credentials caller.json", "an authenticated call"],
  ]);
  return program;
}

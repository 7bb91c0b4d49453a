import { Command } from "commander";
import { fileURLToPath } from "node:url";
import packageJson from "../../package.json" with { type: "json" };
import { accountsCommand } from "../commands/accounts/command.ts";
import { ciCommand } from "../commands/ci/command.ts";
import { configCommand } from "../commands/config/command.ts";
import { completionCommand } from "../commands/config/completion-command.ts";
import { versionCommand } from "../commands/config/version-command.ts";
import { doctorCommand } from "../commands/doctor/command.ts";
import { emulatorCommand } from "../commands/emulator/command.ts";
import { envCommand } from "../commands/env/command.ts";
import { initCommand } from "../commands/init/command.ts";
import { inspectCommand } from "../commands/inspect/command.ts";
import { invokeCommand } from "../commands/invoke/command.ts";
import { keysCommand } from "../commands/keys/command.ts";
import { loadCommand } from "../commands/load/command.ts";
import { loginCommand, logoutCommand, whoamiCommand } from "../commands/login/command.ts";
import { logsCommand } from "../commands/logs/command.ts";
import { proxyCommand } from "../commands/proxy/command.ts";
import {
  buildCommand,
  deleteCommand,
  deployCommand,
  describeCommand,
  grantCommand,
  listCommand,
  membersCommand,
  revokeCommand,
  rollbackCommand,
  trafficCommand,
} from "../commands/service/command.ts";
import { tokenCommand } from "../commands/token/command.ts";
import { downCommand, quickstartCommand, upCommand } from "../commands/up/command.ts";
import { GLOBAL_FLAGS } from "../context/global-flags.ts";
import type { ProcessIo } from "../context/process-io.ts";
import type { CommandDefinition } from "../context/define-command.ts";
import { addCommand, createOption, type Execute } from "./add-command.ts";
import { formatExamples, formatHelp, widthOf } from "./help.ts";
import { addHelpCommand } from "./help-command.ts";

/**
 * The commands under their headings in the root's help, in its order; `help` follows the last one.
 * @public
 */
export const COMMAND_GROUPS: Readonly<Record<string, readonly CommandDefinition[]>> = {
  "Create and deploy": [
    upCommand,
    downCommand,
    initCommand,
    buildCommand,
    deployCommand,
    describeCommand,
    grantCommand,
    revokeCommand,
    membersCommand,
    ciCommand,
  ],
  "Call a service": [invokeCommand, tokenCommand, inspectCommand, proxyCommand, loadCommand],
  Troubleshoot: [doctorCommand, logsCommand],
  Operate: [listCommand, trafficCommand, rollbackCommand, deleteCommand, envCommand, accountsCommand, keysCommand],
  "Local development": [quickstartCommand, emulatorCommand],
  Settings: [loginCommand, logoutCommand, whoamiCommand, configCommand, completionCommand, versionCommand],
};

const EXAMPLES = [
  ["cloudrun-oauth quickstart", "Try it locally"],
  ["cloudrun-oauth init hello && cd hello && cloudrun-oauth up", "Deploy a service"],
  ["cloudrun-oauth invoke hello /whoami", "Call it"],
] as const;

/** The number of columns that help uses of a wide terminal. */
const MAX_WIDTH = 100;

/** Built code is in dist/. */
const DOCUMENTATION = fileURLToPath(new URL(`${import.meta.url.endsWith(".cjs") ? ".." : "../.."}/docs/README.md`, import.meta.url));

/**
 * Builds the command tree, and runs nothing: the code of a command is imported when it runs. Every start waits for the tree, so if `name` is the
 * name of a command, the tree has this command only.
 */
export function createProgram(execute: Execute, { stdout }: Pick<ProcessIo, "stdout">, name?: string): Command {
  const print = (text: string) => void stdout.write(text);
  const width = () => Math.min((stdout as { columns?: number }).columns ?? 80, MAX_WIDTH);
  const program = new Command("cloudrun-oauth");
  program
    .description("Deploy, secure, and call private Cloud Run services, in the cloud or locally.")
    .version(packageJson.version, "-V, --version", "Print the version")
    .helpOption("-h, --help", "Print help")
    .helpCommand(false)
    // Subcommands inherit these. Commander writes the help to writeErr if a subcommand is missing; report-error.ts prints the errors.
    .configureHelp({ formatHelp, minWidthToWrap: 20 })
    .configureOutput({ writeOut: print, writeErr: print, outputError: () => {}, getOutHelpWidth: width, getErrHelpWidth: width })
    .exitOverride();
  for (const flag of GLOBAL_FLAGS) program.addOption(createOption(flag));

  const groups = Object.entries(COMMAND_GROUPS).flatMap(([group, commands]) => commands.map((command) => ({ group, command })));
  const named = groups.filter(({ command }) => command.name === name);
  for (const { group, command } of named.length > 0 ? named : groups) addCommand(program, command, execute).helpGroup(group);
  if (named.length === 0) addHelpCommand(program, "Settings");
  program.addHelpText("after", () => formatExamples(EXAMPLES, widthOf(program)));
  program.addHelpText("afterAll", ({ command }) => {
    if (command === program) return `Documentation: ${DOCUMENTATION}`;
    return program.configureHelp().showGlobalOptions ? "" : "Global flags: cloudrun-oauth help --all";
  });
  return program;
}

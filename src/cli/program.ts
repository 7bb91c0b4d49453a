import { Command } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { addAccountCommands } from "../commands/accounts/command.ts";
import { addCiCommands } from "../commands/ci/command.ts";
import { addConfigCommands } from "../commands/config/command.ts";
import { milliseconds } from "../context/parse-duration.ts";
import { addDoctorCommand } from "../commands/doctor/command.ts";
import { addEmulatorCommands } from "../commands/emulator/command.ts";
import { addInspectCommand } from "../commands/inspect/command.ts";
import { addInvokeCommand } from "../commands/invoke/command.ts";
import { addTokenCommands } from "../commands/token/command.ts";
import { addUpCommands } from "../commands/up/command.ts";
import { addLogCommands } from "../commands/logs/command.ts";
import { addOperateCommands } from "../commands/service/operate-command.ts";
import { addLoadCommands } from "../commands/load/command.ts";
import { addProxyCommands } from "../commands/proxy/command.ts";
import { addServiceCommands } from "../commands/service/command.ts";
import { withExamples, type Execute } from "../context/define-command.ts";
import type { Streams } from "../terminal/terminal.ts";

/** What adds commands to the tree, with the names that they have there. */
const AREAS: readonly (readonly [add: (program: Command, execute: Execute) => void, names: string])[] = [
  [addServiceCommands, "init build deploy describe grant revoke members"],
  [addUpCommands, "up down"],
  [addCiCommands, "ci"],
  [addInvokeCommand, "invoke"],
  [addTokenCommands, "token"],
  [addInspectCommand, "inspect"],
  [addDoctorCommand, "doctor"],
  [addLogCommands, "logs"],
  [addAccountCommands, "accounts keys"],
  [addOperateCommands, "list traffic rollback delete env"],
  [addProxyCommands, "proxy"],
  [addLoadCommands, "load"],
  [addEmulatorCommands, "quickstart emulator"],
  [addConfigCommands, "config completion"],
];

/**
 * The command tree. Building it does nothing; the code of a command is imported when it runs. Where the command that will run is named, others may
 * be missing: a start waits for the tree.
 */
export function createProgram(execute: Execute, { stdout, stderr }: Pick<Streams, "stdout" | "stderr">, name?: string): Command {
  const program = new Command("cloudrun-oauth")
    .description(
      "Private Cloud Run services, from an empty folder to an authenticated call:\nin Google Cloud, or on this machine with no account at all.",
    )
    .usage("<command> [options]")
    .version(packageJson.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .addHelpCommand(new Command("help").argument("[command]").description("print a command's help").helpGroup("Settings:"))
    .configureHelp({ showGlobalOptions: true })
    // Sub-commands inherit this. Errors are printed in one place, which is not here.
    .configureOutput({ writeOut: (text) => void stdout.write(text), writeErr: (text) => void stderr.write(text), outputError: () => {} })
    .exitOverride();

  program
    .optionsGroup("Options for every command:")
    .option("-p, --project <id>", "the Google Cloud project")
    .option("-r, --region <region>", "the region (default: us-central1)")
    .option("-s, --service <name>", "the service")
    .option("--profile <name>", "take settings from this profile")
    .option("-C, --cwd <folder>", "act as if started in this folder")
    .option("--emulator", "act on the emulator that runs on this machine")
    .option("--via <way>", "gcloud or api (default: gcloud where it is installed)")
    .option("--json", "print one JSON document; errors as JSON on the last line of stderr")
    .option("--dry-run", "print what would be done, change nothing")
    .option("-y, --yes", "take yes for an answer")
    .option("-q, --quiet", "print no progress")
    .option("-v, --verbose", "print every request and program that is run")
    .option("--no-color", "print without colours")
    .option("--timeout <duration>", "give up after this time: 90, 90s, 5m", milliseconds);

  const needed = AREAS.filter(([, names]) => name !== undefined && names.split(" ").includes(name));
  for (const [add] of needed.length > 0 ? needed : AREAS) add(program, execute);
  return withExamples(program, [
    ["cloudrun-oauth quickstart", "all of it on this machine, with no account"],
    ["cloudrun-oauth init hello && cd hello", "a service to begin with"],
    ["cloudrun-oauth up", "into your project, private, and called; or step by step:"],
    ["cloudrun-oauth build && cloudrun-oauth deploy", "an image, a service"],
    ["cloudrun-oauth grant --member caller@my-project.iam.gserviceaccount.com", "who may call it"],
    ["cloudrun-oauth invoke --credentials caller.json", "an authenticated call"],
  ]);
}

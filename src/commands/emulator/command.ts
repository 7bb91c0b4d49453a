import type { Command } from "commander";
import { addFaultCommands } from "./fault-command.ts";
import { milliseconds } from "../../context/parse-duration.ts";
import { run, withExamples, type Execute } from "../../context/define-command.ts";

const record = ["--record <file>", "add a line of JSON for every request to a Google API: no values, only types"] as const;
const dataDir = ["--data-dir <folder>", "where the emulator keeps its state"] as const;

/** The Cloud Run of this machine. */
export function addEmulatorCommands(program: Command, execute: Execute): void {
  program.commandsGroup("Cloud Run on this machine:");

  withExamples(
    program
      .command("quickstart")
      .summary("all of it in one go: init, build, deploy, refuse, grant, invoke")
      .description("Make a service, start an emulator, build, deploy, see a call refused, grant, and invoke. No account is needed.")
      .option("--template <name>", "hono, express, flask or fastapi (default: hono)")
      .option("--dir <folder>", "where the service is written (default: ./hello-cloud-run)")
      .action(run(execute, async () => (await import("../up/quickstart.ts")).quickstart)),
    [["cloudrun-oauth quickstart"], ["cloudrun-oauth quickstart --template express --json"]],
  );

  const emulator = program
    .command("emulator")
    .summary("a Cloud Run on this machine")
    .description("A Cloud Run on this machine, for the real gcloud, curl and Google's clients.")
    .helpCommand("help [command]", "print a command's help");

  withExamples(
    emulator
      .command("start")
      .summary("start it")
      .description("Start the emulator; Ctrl-C stops it.")
      .option("--port <number>", "the port on 127.0.0.1 (default: 8686; 0 takes a free one)")
      .option(...dataDir)
      .option("--detach", "come back when it is ready, and leave it running")
      .option("--ephemeral", "keep no state")
      .option("--engine <engine>", "auto, process or container (default: auto)")
      .option("--iam-propagation <duration>", "let grants take effect only after this time, as Google does: 90s", milliseconds)
      .option(...record)
      .action(run(execute, async () => (await import("./start.ts")).emulatorStart)),
    [["cloudrun-oauth emulator start"], ["cloudrun-oauth emulator start --detach && cloudrun-oauth --emulator deploy hello"]],
  );

  withExamples(
    emulator
      .command("exec")
      .summary("run a program that takes the emulator for Google Cloud")
      .description(
        "Run a program that takes the emulator for Google Cloud; its exit code is passed on.\nAn emulator is started for it where none runs.",
      )
      .usage("[options] -- <program> [arguments]")
      .option(...dataDir)
      .option(...record)
      .action(run(execute, async () => (await import("./exec.ts")).emulatorExec, { takesRest: true })),
    [["cloudrun-oauth emulator exec -- gcloud run services list"], ["cloudrun-oauth emulator exec -- npm test"]],
  );

  withExamples(
    emulator
      .command("env")
      .summary("print the variables that lead to it")
      .description("Print the variables that lead this shell's programs to the emulator.")
      .option(...dataDir)
      .action(run(execute, async () => (await import("./env.ts")).emulatorEnv)),
    [['eval "$(cloudrun-oauth emulator env)"']],
  );

  withExamples(
    emulator
      .command("status")
      .summary("say whether it runs, where, and what is deployed")
      .description("Say whether the emulator runs, where, and what is deployed on it.")
      .option(...dataDir)
      .action(run(execute, async () => (await import("./status.ts")).emulatorStatus)),
    [["cloudrun-oauth emulator status --json"]],
  );

  withExamples(
    emulator
      .command("logs")
      .summary("show what its services write, and the calls to them")
      .description(
        "Show the latest log entries: what services write, the calls to them, and what Cloud Run has to say about either.\nWith --json one document; one line an entry where it follows.",
      )
      .argument("[service]", "entries of this service only")
      .option("-f, --follow", "go on with the entries to come, until Ctrl-C")
      .option("--severity <severity>", "entries of this severity and above: INFO, WARNING, ERROR …")
      .option("--limit <number>", "so many entries at most, the latest (default: 100)")
      .option(...dataDir)
      .action(run(execute, async () => (await import("./logs.ts")).emulatorLogs)),
    [["cloudrun-oauth emulator logs hello -f"], ["cloudrun-oauth emulator logs --severity WARNING --json"]],
  );

  withExamples(
    emulator
      .command("stop")
      .summary("stop it; what it keeps stays")
      .description("Stop the emulator. What it keeps is there again at the next start.")
      .option(...dataDir)
      .action(run(execute, async () => (await import("./stop.ts")).emulatorStop)),
    [["cloudrun-oauth emulator stop"]],
  );

  withExamples(
    emulator
      .command("reset")
      .summary("delete all that it keeps")
      .description("Delete all that the emulator keeps: services, images, accounts, keys.")
      .option(...dataDir)
      .action(run(execute, async () => (await import("./reset.ts")).emulatorReset)),
    [["cloudrun-oauth emulator reset --yes"]],
  );

  withExamples(
    emulator
      .command("seed")
      .summary("make what a file asks for")
      .description(
        "Make what a file asks for: projects, accounts, key files, policies, buckets, services. What is there already stays.\nThe file's own paths are relative to it.",
      )
      .argument("<file>", "the seed file, JSON")
      .option(...dataDir)
      .action(run(execute, async () => (await import("./seed.ts")).emulatorSeed)),
    [["cloudrun-oauth emulator seed emulator.json"]],
  );

  withExamples(
    emulator
      .command("export")
      .summary("write a file that makes all this again")
      .description(
        "Write a seed file of what the emulator holds, without private keys; to stdout where no file is named. Beside a file go the\nsources that services were built from.",
      )
      .argument("[file]", "the seed file, JSON")
      .option(...dataDir)
      .action(run(execute, async () => (await import("./export.ts")).emulatorExport)),
    [["cloudrun-oauth emulator export emulator.json"], ["cloudrun-oauth emulator export > emulator.json"]],
  );

  addFaultCommands(emulator, execute);

  withExamples(
    emulator
      .command("clock")
      .summary("move its clock")
      .description("Say what time it is for the emulator, and move its clock: by so much, to a time (RFC 3339), or back to this machine's.")
      .usage("[options] [+DURATION|-DURATION|TIME|reset]")
      .argument("[change]", "+2h, -30s, 2027-01-31T12:00:00Z, reset")
      .option(...dataDir)
      // A duration may begin with a minus.
      .allowUnknownOption()
      .action(run(execute, async () => (await import("./clock.ts")).emulatorClock)),
    [["cloudrun-oauth emulator clock +2h", "tokens end at once"], ["cloudrun-oauth emulator clock reset"]],
  );
}

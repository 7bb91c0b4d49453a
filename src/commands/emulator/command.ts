import { argument } from "../../context/argument.ts";
import { defineCommand, defineNoun } from "../../context/define-command.ts";
import { durationFlag, flag, settingFlag } from "../../context/flag.ts";
import { parsePort, parseWholeNumber } from "../../context/parse-number.ts";
import { DATA_DIR_FLAG } from "./data-dir-flag.ts";
import { faultCommand } from "./fault-command.ts";

export const emulatorCommand = defineNoun({
  name: "emulator",
  summary: "Run Cloud Run locally",
  description: "Runs a local Cloud Run emulator that works with unmodified gcloud, curl, and Google client libraries.",
  commands: [
    defineCommand({
      name: "start",
      summary: "Start the emulator",
      description: "Starts the emulator. Press Ctrl-C to stop it.",
      flags: [
        flag("--port <number>", "Port on 127.0.0.1 (default: 8686; 0 picks a free port)", { parse: parsePort }),
        DATA_DIR_FLAG,
        flag("--detach", "Run in the background"),
        flag("--ephemeral", "Delete all data when the emulator stops"),
        settingFlag("--engine <engine>", "How services run: auto, process, or container (default: auto)"),
        durationFlag("--iam-propagation <duration>", "Delay before IAM changes take effect, for example 90s"),
      ],
      examples: [["cloudrun-oauth emulator start"], ["cloudrun-oauth emulator start --detach && cloudrun-oauth --emulator deploy hello"]],
      load: async () => (await import("./start.ts")).emulatorStart,
    }),
    defineCommand({
      name: "exec",
      summary: "Run a program against the emulator",
      description: "Runs a program against the emulator and returns its exit code. Starts a temporary emulator if none is running.",
      usage: "[flags] -- <program> [arguments]",
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator exec -- gcloud run services list"], ["cloudrun-oauth emulator exec -- npm test"]],
      passesArguments: true,
      load: async () => (await import("./exec.ts")).emulatorExec,
    }),
    defineCommand({
      name: "env",
      summary: "Print environment variables for a shell",
      description: "Prints shell commands that point gcloud and other programs to the emulator.",
      flags: [DATA_DIR_FLAG],
      examples: [['eval "$(cloudrun-oauth emulator env)"']],
      load: async () => (await import("./env.ts")).emulatorEnv,
    }),
    defineCommand({
      name: "status",
      summary: "Show the emulator's address and services",
      description: "Shows whether the emulator is running, its address, and deployed services.",
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator status --json"]],
      load: async () => (await import("./status.ts")).emulatorStatus,
    }),
    defineCommand({
      name: "logs",
      summary: "Show or stream logs from emulated services",
      description:
        "Shows the latest log entries for services and requests. With --json, prints one JSON document, or one line per entry with --follow.",
      arguments: [argument("[service]", "Show only entries from this service")],
      flags: [
        flag("-f, --follow", "Stream new entries until Ctrl-C"),
        flag("--severity <severity>", "Minimum severity: INFO, WARNING, ERROR, …"),
        flag("--limit <number>", "Maximum number of entries (default: 100)", { parse: parseWholeNumber }),
        DATA_DIR_FLAG,
      ],
      examples: [["cloudrun-oauth emulator logs hello -f"], ["cloudrun-oauth emulator logs --severity WARNING --json"]],
      load: async () => (await import("./logs.ts")).emulatorLogs,
    }),
    defineCommand({
      name: "stop",
      summary: "Stop the emulator and keep its data",
      description: "Stops the emulator. Its data is kept for the next start.",
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator stop"]],
      load: async () => (await import("./stop.ts")).emulatorStop,
    }),
    defineCommand({
      name: "reset",
      summary: "Delete all emulator data",
      description: "Deletes all of the emulator's services, images, accounts, and keys after confirmation.",
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator reset --yes"]],
      load: async () => (await import("./reset.ts")).emulatorReset,
    }),
    defineCommand({
      name: "seed",
      summary: "Create the resources in a seed file",
      description:
        "Creates the projects, accounts, key files, policies, buckets, and services described in a seed file. Existing resources are kept. Paths in the file are relative to it.",
      arguments: [argument("<file>", "Seed file (JSON)")],
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator seed emulator.json"]],
      load: async () => (await import("./seed.ts")).emulatorSeed,
    }),
    defineCommand({
      name: "export",
      summary: "Export emulator resources to a seed file",
      description:
        "Writes the emulator's resources, without private keys, to a seed file or to stdout. With a file, also writes the services' sources next to it.",
      arguments: [argument("[file]", "Seed file (JSON)")],
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator export emulator.json"], ["cloudrun-oauth emulator export > emulator.json"]],
      load: async () => (await import("./export.ts")).emulatorExport,
    }),
    faultCommand,
    defineCommand({
      name: "clock",
      summary: "Show or change the emulator's clock",
      description: "Shows the emulator's clock, or changes it by a duration, to a time (RFC 3339), or back to the system time.",
      usage: "[flags] [+DURATION|-DURATION|TIME|reset]",
      arguments: [argument("[change]", "+2h, -30s, 2027-01-31T12:00:00Z, or reset")],
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator clock +2h", "expire all tokens"], ["cloudrun-oauth emulator clock reset"]],
      // A duration can begin with a minus.
      takesUnknownFlags: true,
      load: async () => (await import("./clock.ts")).emulatorClock,
    }),
  ],
});

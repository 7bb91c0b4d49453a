import { argument } from "../../context/argument.ts";
import { defineCommand, defineNoun } from "../../context/define-command.ts";
import { durationFlag, flag, settingFlag } from "../../context/flag.ts";
import { parsePort, parseWholeNumber } from "../../context/parse-number.ts";
import { DATA_DIR_FLAG } from "./data-dir-flag.ts";
import { faultCommand } from "./fault-command.ts";

export const emulatorCommand = defineNoun({
  name: "emulator",
  group: "Cloud Run on this machine:",
  summary: "a Cloud Run on this machine",
  description: "A Cloud Run on this machine, for the real gcloud, curl and Google's clients.",
  commands: [
    defineCommand({
      name: "start",
      summary: "start it",
      description: "Start the emulator; Ctrl-C stops it.",
      flags: [
        flag("--port <number>", "the port on 127.0.0.1 (default: 8686; 0 takes a free one)", { parse: parsePort }),
        DATA_DIR_FLAG,
        flag("--detach", "come back when it is ready, and leave it running"),
        flag("--ephemeral", "keep no state"),
        settingFlag("--engine <engine>", "auto, process or container (default: auto)"),
        durationFlag("--iam-propagation <duration>", "let grants take effect only after this time, as Google does: 90s"),
      ],
      examples: [["cloudrun-oauth emulator start"], ["cloudrun-oauth emulator start --detach && cloudrun-oauth --emulator deploy hello"]],
      load: async () => (await import("./start.ts")).emulatorStart,
    }),
    defineCommand({
      name: "exec",
      summary: "run a program that takes the emulator for Google Cloud",
      description:
        "Run a program that takes the emulator for Google Cloud; its exit code is passed on.\nAn emulator is started for it where none runs.",
      usage: "[options] -- <program> [arguments]",
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator exec -- gcloud run services list"], ["cloudrun-oauth emulator exec -- npm test"]],
      passesArguments: true,
      load: async () => (await import("./exec.ts")).emulatorExec,
    }),
    defineCommand({
      name: "env",
      summary: "print the variables that lead to it",
      description: "Print the variables that lead this shell's programs to the emulator.",
      flags: [DATA_DIR_FLAG],
      examples: [['eval "$(cloudrun-oauth emulator env)"']],
      load: async () => (await import("./env.ts")).emulatorEnv,
    }),
    defineCommand({
      name: "status",
      summary: "say whether it runs, where, and what is deployed",
      description: "Say whether the emulator runs, where, and what is deployed on it.",
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator status --json"]],
      load: async () => (await import("./status.ts")).emulatorStatus,
    }),
    defineCommand({
      name: "logs",
      summary: "show what its services write, and the calls to them",
      description:
        "Show the latest log entries: what services write, the calls to them, and what Cloud Run has to say about either.\nWith --json one document; one line an entry where it follows.",
      arguments: [argument("[service]", "entries of this service only")],
      flags: [
        flag("-f, --follow", "go on with the entries to come, until Ctrl-C"),
        flag("--severity <severity>", "entries of this severity and above: INFO, WARNING, ERROR …"),
        flag("--limit <number>", "so many entries at most, the latest (default: 100)", { parse: parseWholeNumber }),
        DATA_DIR_FLAG,
      ],
      examples: [["cloudrun-oauth emulator logs hello -f"], ["cloudrun-oauth emulator logs --severity WARNING --json"]],
      load: async () => (await import("./logs.ts")).emulatorLogs,
    }),
    defineCommand({
      name: "stop",
      summary: "stop it; what it keeps stays",
      description: "Stop the emulator. What it keeps is there again at the next start.",
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator stop"]],
      load: async () => (await import("./stop.ts")).emulatorStop,
    }),
    defineCommand({
      name: "reset",
      summary: "delete all that it keeps",
      description: "Delete all that the emulator keeps: services, images, accounts, keys.",
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator reset --yes"]],
      load: async () => (await import("./reset.ts")).emulatorReset,
    }),
    defineCommand({
      name: "seed",
      summary: "make what a file asks for",
      description:
        "Make what a file asks for: projects, accounts, key files, policies, buckets, services. What is there already stays.\nThe file's own paths are relative to it.",
      arguments: [argument("<file>", "the seed file, JSON")],
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator seed emulator.json"]],
      load: async () => (await import("./seed.ts")).emulatorSeed,
    }),
    defineCommand({
      name: "export",
      summary: "write a file that makes all this again",
      description:
        "Write a seed file of what the emulator holds, without private keys; to stdout where no file is named. Beside a file go the\nsources that services were built from.",
      arguments: [argument("[file]", "the seed file, JSON")],
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator export emulator.json"], ["cloudrun-oauth emulator export > emulator.json"]],
      load: async () => (await import("./export.ts")).emulatorExport,
    }),
    faultCommand,
    defineCommand({
      name: "clock",
      summary: "move its clock",
      description: "Say what time it is for the emulator, and move its clock: by so much, to a time (RFC 3339), or back to this machine's.",
      usage: "[options] [+DURATION|-DURATION|TIME|reset]",
      arguments: [argument("[change]", "+2h, -30s, 2027-01-31T12:00:00Z, reset")],
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator clock +2h", "tokens end at once"], ["cloudrun-oauth emulator clock reset"]],
      // A duration can begin with a minus.
      takesUnknownFlags: true,
      load: async () => (await import("./clock.ts")).emulatorClock,
    }),
  ],
});

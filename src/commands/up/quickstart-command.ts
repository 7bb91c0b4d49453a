import { defineCommand } from "../../context/define-command.ts";
import { flag, settingFlag } from "../../context/flag.ts";

export const quickstartCommand = defineCommand({
  name: "quickstart",
  group: "Cloud Run on this machine:",
  summary: "all of it in one go: init, build, deploy, refuse, grant, invoke",
  description: "Make a service, start an emulator, build, deploy, see a call refused, grant, and invoke. No account is needed.",
  flags: [
    settingFlag("--template <name>", "hono, express, flask or fastapi (default: hono)"),
    flag("--dir <folder>", "where the service is written (default: ./hello-cloud-run)"),
  ],
  examples: [["cloudrun-oauth quickstart"], ["cloudrun-oauth quickstart --template express --json"]],
  load: async () => (await import("./quickstart.ts")).quickstart,
});

import { defineCommand } from "../../context/define-command.ts";
import { flag, settingFlag } from "../../context/flag.ts";

export const quickstartCommand = defineCommand({
  name: "quickstart",
  summary: "Try everything on a local emulator (no account needed)",
  description:
    "Creates a service, starts an emulator, builds and deploys the service, checks that an unauthenticated request is rejected, grants access, and sends an authenticated request.",
  flags: [
    settingFlag("--template <name>", "Template: hono, express, flask, or fastapi (default: hono)"),
    flag("--dir <dir>", "Directory to create (default: ./hello-cloud-run)"),
  ],
  examples: [["cloudrun-oauth quickstart"], ["cloudrun-oauth quickstart --template express --json"]],
  load: async () => (await import("./quickstart.ts")).quickstart,
});

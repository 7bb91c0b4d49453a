import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag, settingFlag } from "../../context/flag.ts";

export const upCommand = defineCommand({
  name: "up",
  summary: "Build, deploy, grant access, and test in one step",
  description:
    "Builds and deploys a directory as a private service, and grants the caller access.\n" +
    "Verifies that an unauthenticated request is rejected and an authenticated one succeeds.\nSafe to rerun: completed steps are skipped.",
  arguments: [argument("[dir]", "Directory with the Dockerfile (default: current directory)")],
  flags: [
    flag("--check <path>", "Promote only if this path returns a status below 400"),
    flag("--plan", "Show planned changes without applying them"),
    settingFlag("--image <reference>", "Image to push, without a tag (default: cloudrun-oauth/SERVICE)"),
    settingFlag("--member <member>", "Member to grant access to (default: the calling account)"),
    settingFlag("--credentials <file>", "Credentials for the calling account"),
  ],
  examples: [["cloudrun-oauth up"], ["cloudrun-oauth up hello --plan"], ["cloudrun-oauth up --check /whoami"]],
  load: async () => (await import("./up.ts")).up,
});

export const downCommand = defineCommand({
  name: "down",
  summary: "Delete everything that `up` created",
  description:
    "Lists the resources that `up` created, then deletes them after confirmation.\n" +
    "Resources that existed before `up` are kept; only the roles that `up` granted are removed.",
  arguments: [argument("[service]", "Service name")],
  flags: [flag("--plan", "List the resources without deleting them")],
  examples: [["cloudrun-oauth down hello --plan"], ["cloudrun-oauth down hello --yes"]],
  load: async () => (await import("./down.ts")).down,
});

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

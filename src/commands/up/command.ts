import type { Command } from "commander";
import { run, withExamples, type Execute } from "../../context/define-command.ts";

/** The whole road in one command, and its way back. */
export function addUpCommands(program: Command, execute: Execute): void {
  program.commandsGroup("All of it at once:");

  withExamples(
    program
      .command("up")
      .summary("take a folder to an authenticated call")
      .description(
        "Build the folder, deploy it as a private service, and let the caller in.\nThen prove it: a call without a credential is refused, an authorised one let in.\nWhat is done is not done again, and what was interrupted goes on.",
      )
      .argument("[dir]", "the folder with the Dockerfile (default: this one)")
      .option("--check <path>", "deploy without traffic first, and promote only if this path answers below 400")
      .option("--plan", "look, and show what would change, step by step")
      .option("--image <reference>", "where to push, without a tag (default: REGION-docker.pkg.dev/PROJECT/cloudrun-oauth/SERVICE)")
      .option("--member <member>", "who is let in (default: whoever calls)")
      .option("--credentials <file>", "the credentials of the caller")
      .action(run(execute, async () => (await import("./up.ts")).up)),
    [
      ["cloudrun-oauth up"],
      ["cloudrun-oauth up hello --plan", "what would change"],
      ["cloudrun-oauth up --check /whoami", "the old revision serves on if the new one fails"],
    ],
  );

  withExamples(
    program
      .command("down")
      .summary("remove what up has made")
      .description(
        "Show what up has made, ask, and remove it: the service, its images, and the repository where nothing else is in it.\nWhat was there before up stays: of such a service only the grants that up has made are taken back.",
      )
      .argument("[service]", "the service")
      .option("--plan", "show what would be removed")
      .action(run(execute, async () => (await import("./down.ts")).down)),
    [["cloudrun-oauth down hello --plan"], ["cloudrun-oauth down hello --yes"]],
  );
}

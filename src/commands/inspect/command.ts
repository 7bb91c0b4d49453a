import type { Command } from "commander";
import { run, withExamples, type Execute } from "../../context/define-command.ts";

/** What a token is, and who may call. */
export function addInspectCommand(program: Command, execute: Execute): void {
  program.commandsGroup("Authenticated calls:");

  withExamples(
    program
      .command("inspect")
      .summary("say what a token is and whether it is good, or who may call a service")
      .description(
        "Say what a token of Google's is, what it is good for, and whether it is good: signature, audience, times. It is never printed.\n" +
          "With --why: say why a member may, or may not, call a service.\n" +
          "The exit code is 0 for a token that is good, 3 for one that is not.",
      )
      .argument(
        "[token]",
        "- for stdin, or the token, which others on this machine then see in the list of processes\n(default: what `token` prints); with --why, the service",
      )
      .option("--audience <audience>", "whom it has to be for (default: the service's URL, where one is set)")
      .option("--credentials <file>", "a service account's key file, where no token is given")
      .option("--why", "ask Google's policy troubleshooter why a member may, or may not, call a service")
      .option("--member <member>", "with --why, who: an e-mail address, or user:…, serviceAccount:…, principal:…")
      .action(run(execute, async ({ why }) => (why ? (await import("./why.ts")).inspectWhy : (await import("./inspect.ts")).inspect))),
    [
      ["cloudrun-oauth inspect"],
      ["gcloud auth print-identity-token | cloudrun-oauth inspect -"],
      ["cloudrun-oauth inspect hello --why --member caller@my-project.iam.gserviceaccount.com"],
    ],
  );
}

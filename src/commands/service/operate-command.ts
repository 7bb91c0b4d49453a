import { type Command, Option } from "commander";
import { collect, run, withExamples, type Execute } from "../../context/define-command.ts";

/** Services in daily operation. */
export function addOperateCommands(program: Command, execute: Execute): void {
  program.commandsGroup("In daily operation:");

  withExamples(
    program
      .command("list")
      .summary("show the services of all regions")
      .description(
        "Show a project's services, in all regions, or in that of --region: name, region, state, URL, when it was deployed, by whom.",
      )
      .action(run(execute, async () => (await import("./list.ts")).list)),
    [["cloudrun-oauth list"], ["cloudrun-oauth list --region europe-west1 --json"]],
  );

  withExamples(
    program
      .command("traffic")
      .summary("divide the traffic between revisions, or show who gets what")
      .description(
        "Divide a service's traffic between its revisions, and give revisions URLs of their own by tags. Without an option: show who gets what.\n" +
          "LATEST is whichever revision is the latest that is ready. What is missing to 100 stays with the one revision that serves beside those named.",
      )
      .argument("[service]", "the service")
      .option("--to <revision=percent>", "who gets how much; a revision alone gets all; may be repeated", collect)
      .option("--tag <tag=revision>", "give a revision, or LATEST, a URL of its own; may be repeated", collect)
      .option("--remove-tag <tag>", "take a tag away; may be repeated", collect)
      .action(run(execute, async () => (await import("./traffic.ts")).traffic)),
    [
      ["cloudrun-oauth traffic hello"],
      ["cloudrun-oauth traffic hello --to hello-00002-abc=10", "the rest stays where it is"],
      ["cloudrun-oauth traffic hello --to hello-00001-xyz=10 --to LATEST=90"],
      ["cloudrun-oauth traffic hello --to LATEST", "all to the latest, now and from now on"],
      ["cloudrun-oauth traffic hello --tag next=hello-00002-abc --remove-tag old"],
    ],
  );

  withExamples(
    program
      .command("rollback")
      .summary("send all traffic to the last good revision")
      .description(
        "Send all traffic to the newest revision that is ready and was made before the one that serves; say which, and why.\n" +
          "A deployment that failed has replaced nothing: then nothing is changed. The exit code is 4 where there is no good revision.",
      )
      .argument("[service]", "the service")
      .option("--to <revision>", "to this revision")
      .action(run(execute, async () => (await import("./rollback.ts")).rollback)),
    [["cloudrun-oauth rollback hello"], ["cloudrun-oauth rollback hello --to hello-00001-xyz"]],
  );

  withExamples(
    program
      .command("delete")
      .summary("delete a service with all its revisions")
      .description(
        "Delete a service, with all its revisions, whether they serve traffic or not, and its policy. Its images stay in the registry.\n" +
          "There is no undo. It shows what goes and asks; where nobody can be asked, it needs --yes. The exit code is 4 where there is no such service.",
      )
      .argument("[service]", "the service")
      .action(run(execute, async () => (await import("./delete.ts")).deleteService)),
    [["cloudrun-oauth delete hello"], ["cloudrun-oauth delete hello --region europe-west1 --yes"]],
  );

  addEnvCommands(program, execute);
}

function addEnvCommands(program: Command, execute: Execute): void {
  const env = program
    .command("env")
    .summary("a service's environment variables")
    .description("A service's environment variables. A change makes a revision with the same image.")
    .helpCommand("help [command]", "print a command's help");

  withExamples(
    env
      .command("list")
      .summary("show the variables")
      .description("Show a service's environment variables. What comes from a secret is shown as its name and version, and never resolved.")
      .argument("[service]", "the service")
      .action(run(execute, async () => (await import("../env/env.ts")).envList)),
    [["cloudrun-oauth env list hello"]],
  );
  withExamples(
    env
      .command("set")
      .summary("set variables")
      .description(
        "Set environment variables, and leave the others as they are. Where all of them have these values already, no revision is made.\n" +
          "Others on this machine see a command line in the list of processes; what is in a file, they do not.",
      )
      .argument("[words...]", "the service, and NAME=VALUE …")
      .option("--from-file <file>", "set what is in this .env file too")
      // Node takes an option of that name for its own, wherever it stands: it ends where there is no such file, and obeys its NODE_OPTIONS.
      .addOption(new Option("--env-file <file>").hideHelp())
      .action(run(execute, async () => (await import("../env/env.ts")).envSet)),
    [["cloudrun-oauth env set hello GREETING=hello MOOD=good"], ["cloudrun-oauth env set hello --from-file .env.production"]],
  );
  withExamples(
    env
      .command("unset")
      .summary("remove variables")
      .description(
        "Remove environment variables, those that come from a secret too.\nThe first of several words is the service where it has small letters only; --service says it in any case.",
      )
      .argument("<words...>", "the service, and NAME …")
      .action(run(execute, async () => (await import("../env/env.ts")).envUnset)),
    [["cloudrun-oauth env unset hello GREETING"], ["cloudrun-oauth env unset --service hello greeting mood"]],
  );
}

import type { Command } from "commander";
import { run, withExamples, type Execute } from "../../context/define-command.ts";

/** Pipelines that deploy and call without a stored key. */
export function addCiCommands(program: Command, execute: Execute): void {
  const ci = program
    .command("ci")
    .helpGroup("From an empty folder to a private service:")
    .summary("write a pipeline that deploys and calls without a stored key")
    .description(
      "Write a pipeline that builds, deploys and calls the service without a stored key.\nWhat it needs of the project is printed, or made.",
    )
    .helpCommand("help [command]", "print a command's help");

  withExamples(
    shared(withRepository(ci.command("github"), "OWNER/NAME"))
      .summary("write .github/workflows/deploy.yml")
      .description(describe("a workflow for GitHub Actions, .github/workflows/deploy.yml", FEDERATED))
      .action(run(execute, async () => (await import("./ci.ts")).ciFor("github"))),
    [
      ["cloudrun-oauth ci github"],
      ["cloudrun-oauth ci github --apply", "with all that it needs of the project"],
      ["cloudrun-oauth ci github --repo me/hello --branch main --print"],
    ],
  );
  withExamples(
    shared(withRepository(ci.command("gitlab"), "GROUP/NAME"))
      .summary("write .gitlab-ci.yml")
      .description(describe("a pipeline for GitLab, .gitlab-ci.yml", FEDERATED))
      .action(run(execute, async () => (await import("./ci.ts")).ciFor("gitlab"))),
    [
      ["cloudrun-oauth ci gitlab --apply"],
      ["cloudrun-oauth ci gitlab --repo group/hello --issuer https://gitlab.example.com", "on a server of one's own"],
    ],
  );
  withExamples(
    shared(ci.command("cloudbuild"))
      .summary("write cloudbuild.yaml")
      .description(describe("a build configuration for Cloud Build, cloudbuild.yaml", "It runs as the account that deploys."))
      .action(run(execute, async () => (await import("./ci.ts")).ciFor("cloudbuild"))),
    [["cloudrun-oauth ci cloudbuild --apply"], ["cloudrun-oauth ci cloudbuild --print"]],
  );
}

const FEDERATED =
  "Google takes its word for this repository and branch alone: workload identity\nfederation, whose pool and provider are among what it needs.";

function describe(what: string, how: string): string {
  return `Write ${what}, that needs no stored key.\n${how}\nWithout --apply, what the project has to have is printed, as lines to run.`;
}

function withRepository(command: Command, form: string): Command {
  return command
    .option(`--repo <repository>`, `${form} (default: where the git remote "origin" is)`)
    .option("--branch <name>", "the branch that is deployed (default: the repository's main one)")
    .option("--issuer <url>", "who issues the tokens, on a server of one's own");
}

function shared(command: Command): Command {
  return command
    .option("--deployer <account>", "the service account that deploys (default: SERVICE-deployer)")
    .option("--caller <account>", "the service account that calls the service (default: SERVICE-caller)")
    .option("--service-account <account>", "the account that the service runs as (default: the one that it has)")
    .option("--project-number <number>", "the project's number, where nobody is to be asked for it")
    .option("--apply", "make what the pipeline needs of the project")
    .option("--print", "print the pipeline, write no file")
    .option("--force", "replace a file that is there");
}

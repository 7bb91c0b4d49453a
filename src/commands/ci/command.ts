import { defineCommand, defineNoun } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

const SHARED_FLAGS = [
  flag("--deployer <account>", "the service account that deploys (default: SERVICE-deployer)"),
  flag("--caller <account>", "the service account that calls the service (default: SERVICE-caller)"),
  flag("--service-account <account>", "the account that the service runs as (default: the one that it has)"),
  flag("--project-number <number>", "the project's number, where nobody is to be asked for it"),
  flag("--apply", "make what the pipeline needs of the project"),
  flag("--print", "print the pipeline, write no file"),
  flag("--force", "replace a file that is there"),
] as const;

const FORGE_FLAGS = [
  flag("--branch <name>", "the branch that is deployed (default: the repository's main one)"),
  flag("--issuer <url>", "who issues the tokens, on a server of one's own"),
  ...SHARED_FLAGS,
] as const;

/** Pipelines that deploy and call a service without a stored key. */
export const ciCommand = defineNoun({
  name: "ci",
  group: "From an empty folder to a private service:",
  summary: "write a pipeline that deploys and calls without a stored key",
  description:
    "Write a pipeline that builds, deploys and calls the service without a stored key.\nWhat it needs of the project is printed, or made.",
  commands: [
    defineCommand({
      name: "github",
      summary: "write .github/workflows/deploy.yml",
      description: describeForge("a workflow for GitHub Actions, .github/workflows/deploy.yml"),
      flags: [flag("--repo <repository>", `OWNER/NAME (default: where the git remote "origin" is)`), ...FORGE_FLAGS],
      examples: [
        ["cloudrun-oauth ci github"],
        ["cloudrun-oauth ci github --apply", "with all that it needs of the project"],
        ["cloudrun-oauth ci github --repo me/hello --branch main --print"],
      ],
      load: async () => (await import("./ci.ts")).ciGitHub,
    }),
    defineCommand({
      name: "gitlab",
      summary: "write .gitlab-ci.yml",
      description: describeForge("a pipeline for GitLab, .gitlab-ci.yml"),
      flags: [flag("--repo <repository>", `GROUP/NAME (default: where the git remote "origin" is)`), ...FORGE_FLAGS],
      examples: [
        ["cloudrun-oauth ci gitlab --apply"],
        ["cloudrun-oauth ci gitlab --repo group/hello --issuer https://gitlab.example.com", "on a server of one's own"],
      ],
      load: async () => (await import("./ci.ts")).ciGitLab,
    }),
    defineCommand({
      name: "cloudbuild",
      summary: "write cloudbuild.yaml",
      description: describe("a build configuration for Cloud Build, cloudbuild.yaml", "It runs as the account that deploys."),
      flags: SHARED_FLAGS,
      examples: [["cloudrun-oauth ci cloudbuild --apply"], ["cloudrun-oauth ci cloudbuild --print"]],
      load: async () => (await import("./ci.ts")).ciCloudBuild,
    }),
  ],
});

function describeForge(file: string): string {
  return describe(
    file,
    "Google takes its word for this repository and branch alone: workload identity\nfederation, whose pool and provider are among what it needs.",
  );
}

function describe(file: string, identity: string): string {
  return `Write ${file}, that needs no stored key.\n${identity}\nWithout --apply, what the project has to have is printed, as lines to run.`;
}

import { defineCommand, defineNoun } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

const FEDERATION = "Uses workload identity federation, restricted to this repository and branch.";

const SHARED_FLAGS = [
  flag("--deployer <account>", "Service account that deploys (default: SERVICE-deployer)"),
  flag("--caller <account>", "Service account for test calls (default: SERVICE-caller)"),
  flag("--service-account <account>", "Service account that runs the service (default: unchanged)"),
  flag("--project-number <number>", "Project number (skips the lookup)"),
  flag("--apply", "Create the required Google Cloud resources"),
  flag("--print", "Print the pipeline instead of writing a file"),
  flag("--force", "Overwrite an existing file"),
] as const;

const FORGE_FLAGS = [
  flag("--branch <name>", "Branch to deploy (default: the default branch)"),
  flag("--issuer <url>", "OIDC issuer URL, for a self-hosted server"),
  ...SHARED_FLAGS,
] as const;

export const ciCommand = defineNoun({
  name: "ci",
  summary: "Generate a keyless CI/CD pipeline",
  description:
    "Generates a pipeline that builds, deploys, and calls the service without a stored key.\n" +
    "Prints the required Google Cloud setup, or creates it with --apply.",
  commands: [
    defineCommand({
      name: "github",
      summary: "Generate a GitHub Actions workflow",
      description: describe("a GitHub Actions workflow (.github/workflows/deploy.yml)", FEDERATION),
      flags: [flag("--repo <repository>", "OWNER/NAME (default: from the Git remote origin)"), ...FORGE_FLAGS],
      examples: [
        ["cloudrun-oauth ci github"],
        ["cloudrun-oauth ci github --apply"],
        ["cloudrun-oauth ci github --repo me/hello --branch main --print"],
      ],
      load: async () => (await import("./ci.ts")).ciGitHub,
    }),
    defineCommand({
      name: "gitlab",
      summary: "Generate a GitLab CI/CD pipeline",
      description: describe("a GitLab CI/CD pipeline (.gitlab-ci.yml)", FEDERATION),
      flags: [flag("--repo <repository>", "GROUP/NAME (default: from the Git remote origin)"), ...FORGE_FLAGS],
      examples: [["cloudrun-oauth ci gitlab --apply"], ["cloudrun-oauth ci gitlab --repo group/hello --issuer https://gitlab.example.com"]],
      load: async () => (await import("./ci.ts")).ciGitLab,
    }),
    defineCommand({
      name: "cloudbuild",
      summary: "Generate a Cloud Build configuration",
      description: describe("a Cloud Build configuration (cloudbuild.yaml)", "The build runs as the account that deploys."),
      flags: SHARED_FLAGS,
      examples: [["cloudrun-oauth ci cloudbuild --apply"], ["cloudrun-oauth ci cloudbuild --print"]],
      load: async () => (await import("./ci.ts")).ciCloudBuild,
    }),
  ],
});

function describe(file: string, identity: string): string {
  return `Generates ${file} that needs no stored key.\n${identity}\nWithout --apply, prints the setup commands instead of running them.`;
}

import { relative, sep } from "node:path";
import { resolveAccountEmail } from "../../cloud/accounts.ts";
import { requireServiceName } from "../../cloud/names.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { findWorkingCopy, type WorkingCopy } from "./git-repository.ts";
import { accountFor, issuerOf, providerFor, type Forge } from "./pipeline-names.ts";
import type { Pipeline, System } from "./pipeline.ts";

export interface PipelineFlags {
  readonly repo?: string;
  readonly branch?: string;
  readonly issuer?: string;
  readonly deployer?: string;
  readonly caller?: string;
  readonly serviceAccount?: string;
  readonly projectNumber?: string;
}

/** Reads a pipeline from flags, settings and the working copy, and the folder of its file. Throws USAGE if one of them isn't valid. */
export function readPipeline(
  system: System,
  { settings, cwd }: Pick<Context, "settings" | "cwd">,
  flags: PipelineFlags,
): { pipeline: Omit<Pipeline, "number">; root: string } {
  const copy = findWorkingCopy(cwd);
  const root = copy?.root ?? cwd;
  const { service, project, region } = requireServiceName(settings);
  const branch = readFlag("--branch", flags.branch ?? copy?.branch ?? "main", BRANCH);
  const givenAccount = (flag: string, value: string) => resolveAccountEmail(readFlag(flag, value, ACCOUNT), project);
  const account = (job: "deployer" | "caller") =>
    flags[job] === undefined ? accountFor(project, service, job) : givenAccount(`--${job}`, flags[job]);
  const repository = system === "cloudbuild" ? undefined : findRepository(system, copy, flags);
  const pipeline = {
    project,
    region,
    service,
    branch,
    folder: relative(root, cwd).split(sep).join("/"),
    deployer: account("deployer"),
    caller: account("caller"),
    serviceAccount: flags.serviceAccount === undefined ? undefined : givenAccount("--service-account", flags.serviceAccount),
    repository: repository?.path,
    provider: repository && providerFor(repository.forge, repository.issuer, repository.path, branch),
  };
  if (pipeline.deployer === pipeline.caller) throw new CliError("USAGE", "--deployer and --caller must be different accounts.");
  return { pipeline, root };
}

interface Repository {
  readonly forge: Forge;
  readonly path: string;
  readonly issuer: string;
}

function findRepository(forge: Forge, copy: WorkingCopy | undefined, flags: PipelineFlags): Repository {
  const { remote } = copy ?? {};
  const name = forge === "github" ? "GitHub" : "GitLab";
  const [other, otherName] = forge === "github" ? (["gitlab", "GitLab"] as const) : (["github", "GitHub"] as const);
  const hint = `Set the ${name} repository with --repo.`;
  if (flags.repo === undefined && remote === undefined)
    throw new CliError("USAGE", `Git remote "origin" not found in this directory.`, { hint });
  if (flags.repo === undefined && remote?.host === `${other}.com`)
    throw new CliError("USAGE", `The repository ${remote.path} is on ${otherName}.`, {
      hint,
      next: [nextStep(`To generate a pipeline for ${otherName}`, "ci", other)],
    });
  const path = readFlag("--repo", flags.repo ?? remote?.path ?? "", forge === "github" ? GITHUB_REPOSITORY : GITLAB_REPOSITORY);
  const issuer = flags.issuer ?? issuerOf(forge, flags.repo === undefined ? remote?.host : undefined);
  if (!/^https?:\/\/[\w.:/-]+[\w]$/.test(issuer) || !URL.canParse(issuer))
    throw new CliError("USAGE", `Invalid issuer "${issuer}". Use a URL such as https://gitlab.example.com.`);
  return { forge, path, issuer };
}

interface Format {
  readonly pattern: RegExp;
  readonly text: string;
}

// These values become parts of conditions, patterns and YAML: they must not contain quotes or anything with a meaning there.
const BRANCH: Format = { pattern: /^(?!-)[\w./-]{1,200}$/, text: "letters, digits, and . / _ -" };
const GITHUB_REPOSITORY: Format = { pattern: /^[\w.-]+\/[\w.-]+$/, text: "OWNER/NAME" };
const GITLAB_REPOSITORY: Format = { pattern: /^[\w.-]+(?:\/[\w.-]+)+$/, text: "GROUP/NAME, with all groups" };
// https://cloud.google.com/iam/docs/service-accounts-create
const ACCOUNT: Format = {
  pattern: /^[a-z](?:[a-z0-9-]{4,28}[a-z0-9])$|^[a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com$/,
  text: "an account ID (6–30 lowercase letters, digits, and hyphens) or an email address",
};

function readFlag(flag: string, value: string, { pattern, text }: Format): string {
  if (pattern.test(value)) return value;
  throw new CliError("USAGE", `Invalid ${flag} "${value}". Use ${text}.`);
}

/** The project's number, if it was passed. Throws USAGE if it isn't valid. */
export function readNumber({ projectNumber }: PipelineFlags): string | undefined {
  return projectNumber === undefined ? undefined : readFlag("--project-number", projectNumber, { pattern: /^\d{6,20}$/, text: "a number" });
}

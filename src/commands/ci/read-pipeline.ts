import { relative, sep } from "node:path";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { findWorkingCopy, type WorkingCopy } from "./git-repository.ts";
import { accountFor, emailOf, issuerOf, providerFor, type Forge } from "./names.ts";
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

/** A pipeline as flags, settings and the working copy have it, with the folder that its file goes into. Throws USAGE where one of them will not do. */
export function readPipeline(
  system: System,
  { settings, cwd }: Pick<Context, "settings" | "cwd">,
  flags: PipelineFlags,
): { pipeline: Omit<Pipeline, "number">; root: string } {
  const copy = findWorkingCopy(cwd);
  const root = copy?.root ?? cwd;
  const project = settings.require("project");
  const service = settings.require("service");
  const branch = checked("--branch", flags.branch ?? copy?.branch ?? "main", BRANCH);
  const account = (part: "deployer" | "caller") =>
    flags[part] === undefined ? accountFor(project, service, part) : emailOf(project, checked(`--${part}`, flags[part], ACCOUNT));
  const repository = system === "cloudbuild" ? undefined : findRepository(system, copy, flags);
  const pipeline = {
    project,
    region: settings.require("region"),
    service,
    branch,
    folder: relative(root, cwd).split(sep).join("/"),
    deployer: account("deployer"),
    caller: account("caller"),
    serviceAccount:
      flags.serviceAccount === undefined ? undefined : emailOf(project, checked("--service-account", flags.serviceAccount, ACCOUNT)),
    repository: repository?.path,
    provider: repository && providerFor(repository.forge, repository.issuer, repository.path, branch),
  };
  if (pipeline.deployer === pipeline.caller)
    throw new CliError("USAGE", "The account that deploys cannot be the one that calls.", { hint: "Say another --deployer or --caller." });
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
  const hint = `Say which repository on ${name} it is: --repo ${forge === "github" ? "OWNER/NAME" : "GROUP/NAME"}`;
  if (flags.repo === undefined && remote === undefined)
    throw new CliError("USAGE", `This folder has no git remote "origin" that would say where the repository is.`, { hint });
  if (flags.repo === undefined && remote?.host === `${other}.com`)
    throw new CliError("USAGE", `The repository ${remote.path} is on ${otherName}.`, {
      hint: `cloudrun-oauth ci ${other}, or ${hint.replace(/^S/, "s")}`,
    });
  const path = checked("--repo", flags.repo ?? remote?.path ?? "", forge === "github" ? GITHUB_REPOSITORY : GITLAB_REPOSITORY);
  const issuer = flags.issuer ?? issuerOf(forge, flags.repo === undefined ? remote?.host : undefined);
  if (!/^https?:\/\/[\w.:/-]+[\w]$/.test(issuer) || !URL.canParse(issuer))
    throw new CliError("USAGE", `"${issuer}" cannot be the issuer of tokens.`, { hint: "It looks like https://gitlab.example.com" });
  return { forge, path, issuer };
}

interface Form {
  readonly pattern: RegExp;
  readonly text: string;
}

// What stands in conditions, in patterns and in YAML may hold no quotes and nothing that means something there.
const BRANCH: Form = { pattern: /^(?!-)[\w./-]{1,200}$/, text: "a branch's name of letters, digits and . / _ -" };
const GITHUB_REPOSITORY: Form = { pattern: /^[\w.-]+\/[\w.-]+$/, text: "OWNER/NAME" };
const GITLAB_REPOSITORY: Form = { pattern: /^[\w.-]+(?:\/[\w.-]+)+$/, text: "GROUP/NAME, with all groups" };
// https://cloud.google.com/iam/docs/service-accounts-create
const ACCOUNT: Form = {
  pattern: /^[a-z](?:[a-z0-9-]{4,28}[a-z0-9])$|^[a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com$/,
  text: "an account's ID, 6 to 30 lower-case letters, digits and hyphens, or its e-mail address",
};

function checked(flag: string, value: string, { pattern, text }: Form): string {
  if (pattern.test(value)) return value;
  throw new CliError("USAGE", `"${value}" cannot be the value of ${flag}: that is ${text}.`, { hint: `Say another ${flag}.` });
}

/** The project's number where it was said. Throws USAGE for what can be none. */
export function readNumber({ projectNumber }: PipelineFlags): string | undefined {
  return projectNumber === undefined ? undefined : checked("--project-number", projectNumber, { pattern: /^\d{6,20}$/, text: "a number" });
}

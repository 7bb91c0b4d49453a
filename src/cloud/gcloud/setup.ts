import { CliError } from "../../errors/cli-error.ts";
import { repositoryLine } from "./build.ts";
import type { Gcloud } from "./process.ts";
import { isAsWanted, type ProviderStep, type Registered, type SetupOutcome, type SetupStep } from "../pipeline-setup.ts";

/** The line that makes what a step wants, on a project that has nothing of it. */
export function setupLine(step: SetupStep): string[] {
  const { project } = step;
  const end = inProject(project);
  switch (step.kind) {
    case "apis":
      return ["services", "enable", ...step.names, ...end];
    case "repository":
      return repositoryLine("create", step);
    case "account":
      return ["iam", "service-accounts", "create", step.email.split("@")[0] ?? "", "--display-name", step.displayName, ...end];
    case "pool":
      return [...poolLine("create", step.pool), "--display-name", step.displayName, ...end];
    case "provider":
      return providerChange("create-oidc", step);
    case "project-role":
      return ["projects", "add-iam-policy-binding", project, ...binding(step), "--condition=None", "--quiet", "--format=json"];
    case "account-role":
      return ["iam", "service-accounts", "add-iam-policy-binding", step.account, ...binding(step), "--condition=None", ...end];
  }
}

/** Makes what a step wants; what is there already is brought back where it was deleted, and changed where it differs. */
export async function setUpByGcloud(gcloud: Gcloud, step: SetupStep): Promise<SetupOutcome> {
  if (step.kind === "apis" || step.kind === "project-role" || step.kind === "account-role") {
    await gcloud(setupLine(step), { isProbe: true });
    return step.kind === "apis" ? "enabled" : "granted";
  }
  try {
    await gcloud(setupLine(step), { isProbe: true });
    return "made";
  } catch (error) {
    if (!(error instanceof CliError && error.code === "CONFLICT")) throw error;
  }
  if (step.kind !== "pool" && step.kind !== "provider") return "there";
  const line = (verb: string) => [
    ...(step.kind === "pool" ? poolLine(verb, step.pool) : providerLine(verb, step)),
    ...inProject(step.project),
  ];
  const found = JSON.parse(await gcloud(line("describe"), { isProbe: true })) as Registered;
  const isDeleted = found.state === "DELETED";
  if (isDeleted) await gcloud(line("undelete"), { isProbe: true });
  const isRight = step.kind === "pool" || isAsWanted(found, step);
  if (!isRight) await gcloud(providerChange("update-oidc", step), { isProbe: true });
  return isDeleted || !isRight ? "changed" : "there";
}

/** What every line ends with: gcloud's own defaults are never relied on, and it never asks. */
function inProject(project: string): string[] {
  return ["--project", project, "--quiet", "--format=json"];
}

function poolLine(verb: string, pool: string): string[] {
  return ["iam", "workload-identity-pools", verb, pool, "--location", "global"];
}

function providerLine(verb: string, { pool, provider }: ProviderStep): string[] {
  return ["iam", "workload-identity-pools", "providers", verb, provider, "--location", "global", "--workload-identity-pool", pool];
}

function providerChange(verb: "create-oidc" | "update-oidc", step: ProviderStep): string[] {
  const mapping = Object.entries(step.mapping).map(([attribute, expression]) => `${attribute}=${expression}`);
  return [
    ...providerLine(verb, step),
    "--display-name",
    step.displayName,
    "--issuer-uri",
    step.issuer,
    "--attribute-mapping",
    mapping.join(","),
    "--attribute-condition",
    step.condition,
    ...inProject(step.project),
  ];
}

function binding({ member, role }: { readonly member: string; readonly role: string }): string[] {
  return ["--member", member, "--role", role];
}

import {
  setUp,
  type ProviderStep,
  type RegisteredResource,
  type SetupOutcome,
  type SetupStep,
  type WorkloadIdentityStep,
} from "../pipeline-setup.ts";
import { defineVerb, type Verb } from "../verb.ts";
import { createAccountArgs } from "./accounts.ts";
import { createRepositoryArgs } from "./artifact-registry.ts";
import { flag, joinPairs, jsonCommand, parseGcloudJson } from "./command.ts";
import { gcloudLine, type Gcloud } from "./process.ts";

export function setUpVerb(gcloud: Gcloud): Verb<SetupStep, SetupOutcome> {
  const run = (verb: string, step: WorkloadIdentityStep) =>
    gcloud(jsonCommand(step.kind === "pool" ? poolWords(verb, step.pool) : providerWords(verb, step), { project: step.project }));
  const requests = {
    create: (step: SetupStep) => gcloud(createArgs(step)),
    read: async (step: WorkloadIdentityStep) => parseGcloudJson<RegisteredResource>(await run("describe", step)),
    undelete: (step: WorkloadIdentityStep) => run("undelete", step),
    update: (step: ProviderStep) => gcloud(providerArgs("update-oidc", step)),
  };
  return defineVerb({ plan: (step) => [gcloudLine(createArgs(step))], run: (step) => setUp(step, requests) });
}

function createArgs(step: SetupStep): string[] {
  const { project } = step;
  switch (step.kind) {
    case "apis":
      return jsonCommand(["services", "enable", ...step.names], { project });
    case "repository":
      return createRepositoryArgs(step);
    case "account":
      return createAccountArgs({ project, account: step.email, displayName: step.displayName });
    case "pool":
      return jsonCommand([...poolWords("create", step.pool), "--display-name", step.displayName], { project });
    case "provider":
      return providerArgs("create-oidc", step);
    case "project-role":
      return jsonCommand(["projects", "add-iam-policy-binding", project, ...bindingFlags(step)]);
    case "account-role":
      return jsonCommand(["iam", "service-accounts", "add-iam-policy-binding", step.account, ...bindingFlags(step)], { project });
  }
}

function poolWords(verb: string, pool: string): string[] {
  return ["iam", "workload-identity-pools", verb, pool, "--location", "global"];
}

function providerWords(verb: string, { pool, provider }: ProviderStep): string[] {
  return ["iam", "workload-identity-pools", "providers", verb, provider, "--location", "global", "--workload-identity-pool", pool];
}

function providerArgs(verb: "create-oidc" | "update-oidc", step: ProviderStep): string[] {
  const words = [
    ...providerWords(verb, step),
    ...flag("--display-name", step.displayName),
    ...flag("--issuer-uri", step.issuer),
    ...flag("--attribute-mapping", joinPairs(step.mapping)),
    ...flag("--attribute-condition", step.condition),
  ];
  return jsonCommand(words, { project: step.project });
}

function bindingFlags({ member, role }: { readonly member: string; readonly role: string }): string[] {
  return ["--member", member, "--role", role, "--condition=None"];
}

import { CliError } from "../../errors/cli-error.ts";
import { isUpToDate, type ProviderStep, type RegisteredResource, type SetupOutcome, type SetupStep } from "../pipeline-setup.ts";
import { defineVerb, type Verb } from "../verb.ts";
import { createAccountRequest, ensureAccount } from "./accounts.ts";
import { createRepositoryRequest } from "./artifact-registry.ts";
import { requestLine, type ApiRequest } from "./client.ts";
import { changeMembers, planBinding, withMember } from "./policy.ts";
import { runOperation } from "./poll-request.ts";
import { planEnabling } from "./project.ts";
import type { ClientFor } from "./request-verb.ts";

const IAM = "https://iam.googleapis.com/v1";

type RoleStep = Extract<SetupStep, { kind: "project-role" | "account-role" }>;
type CreationStep = Exclude<SetupStep, RoleStep>;

/** Creates what a step wants. What exists already is undeleted if it was deleted, and updated if it differs. */
export function setUpVerb(clientFor: ClientFor, signal: AbortSignal): Verb<SetupStep, SetupOutcome> {
  return defineVerb({
    plan: (step) =>
      (isRoleStep(step) ? planBinding(step, { role: step.role, members: [step.member] }) : createRequests(step)).map(requestLine),
    async run(step) {
      const client = clientFor({ project: step.project });
      if (isRoleStep(step)) {
        await changeMembers(client, step, step.role, withMember(step.member), signal);
        return "granted";
      }
      if (step.kind === "account") return (await ensureAccount(client, step)) ? "made" : "there";
      const send = (request: ApiRequest) => runOperation(client, request, signal);
      try {
        for (const request of createRequests(step)) await send(request);
        return step.kind === "apis" ? "enabled" : "made";
      } catch (error) {
        if (!(error instanceof CliError && error.code === "CONFLICT") || step.kind === "apis") throw error;
      }
      if (step.kind === "repository") return "there";
      const url = step.kind === "pool" ? `${poolsUrl(step.project)}/${step.pool}` : `${providersUrl(step)}/${step.provider}`;
      const existing = await client.call<RegisteredResource>({ method: "GET", url });
      const isDeleted = existing.state === "DELETED";
      if (isDeleted) await send({ method: "POST", url: `${url}:undelete`, body: {} });
      const isCurrent = step.kind === "pool" || isUpToDate(existing, step);
      if (!isCurrent) {
        const mask = "displayName,oidc.issuerUri,attributeMapping,attributeCondition";
        await send({ method: "PATCH", url: `${url}?updateMask=${mask}`, body: providerBody(step) });
      }
      return isDeleted || !isCurrent ? "changed" : "there";
    },
  });
}

function isRoleStep(step: SetupStep): step is RoleStep {
  return step.kind === "project-role" || step.kind === "account-role";
}

function createRequests(step: CreationStep): ApiRequest[] {
  const { project } = step;
  switch (step.kind) {
    case "apis":
      return planEnabling(project, step.names);
    case "repository":
      return [createRepositoryRequest(step)];
    case "account":
      return [createAccountRequest(step)];
    case "pool":
      return [{ method: "POST", url: `${poolsUrl(project)}?workloadIdentityPoolId=${step.pool}`, body: { displayName: step.displayName } }];
    case "provider":
      return [{ method: "POST", url: `${providersUrl(step)}?workloadIdentityPoolProviderId=${step.provider}`, body: providerBody(step) }];
  }
}

function poolsUrl(project: string): string {
  return `${IAM}/projects/${project}/locations/global/workloadIdentityPools`;
}

function providersUrl({ project, pool }: ProviderStep): string {
  return `${poolsUrl(project)}/${pool}/providers`;
}

function providerBody({ displayName, issuer, mapping, condition }: ProviderStep): object {
  return { displayName, oidc: { issuerUri: issuer }, attributeMapping: mapping, attributeCondition: condition };
}

import {
  setUp,
  type ProviderStep,
  type RegisteredResource,
  type SetupOutcome,
  type SetupStep,
  type WorkloadIdentityStep,
} from "../pipeline-setup.ts";
import { defineVerb, type Verb } from "../verb.ts";
import { createAccountRequest } from "./accounts.ts";
import { createRepositoryRequest } from "./artifact-registry.ts";
import { requestLine, type ApiRequest } from "./client.ts";
import { changeMembers, planBinding, withMember } from "./policy.ts";
import { runOperation } from "./poll-request.ts";
import { planEnabling } from "./project.ts";
import type { ClientFor } from "./request-verb.ts";

const IAM = "https://iam.googleapis.com/v1";

type RoleStep = Extract<SetupStep, { kind: "project-role" | "account-role" }>;

export function setUpVerb(clientFor: ClientFor, signal: AbortSignal): Verb<SetupStep, SetupOutcome> {
  return defineVerb({
    plan: (step) =>
      (isRoleStep(step) ? planBinding(step, { role: step.role, members: [step.member] }) : createRequests(step)).map(requestLine),
    run(setupStep) {
      const client = clientFor({ project: setupStep.project });
      return setUp(setupStep, {
        async create(step) {
          if (isRoleStep(step)) await changeMembers(client, step, step.role, withMember(step.member), signal);
          else if (step.kind === "account") await client.call(createAccountRequest(step));
          else for (const request of createRequests(step)) await runOperation(client, request, signal);
        },
        read: (step) => client.call<RegisteredResource>({ method: "GET", url: resourceUrl(step) }),
        undelete: (step) => runOperation(client, { method: "POST", url: `${resourceUrl(step)}:undelete`, body: {} }, signal),
        update(step) {
          const mask = "displayName,oidc.issuerUri,attributeMapping,attributeCondition";
          return runOperation(
            client,
            { method: "PATCH", url: `${resourceUrl(step)}?updateMask=${mask}`, body: providerBody(step) },
            signal,
          );
        },
      });
    },
  });
}

function isRoleStep(step: SetupStep): step is RoleStep {
  return step.kind === "project-role" || step.kind === "account-role";
}

function createRequests(step: Exclude<SetupStep, RoleStep>): ApiRequest[] {
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

function resourceUrl(step: WorkloadIdentityStep): string {
  return step.kind === "pool" ? `${poolsUrl(step.project)}/${step.pool}` : `${providersUrl(step)}/${step.provider}`;
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

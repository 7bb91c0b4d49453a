import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../../errors/cli-error.ts";
import { ensureAccount } from "./accounts.ts";
import type { ApiClient, ApiRequest } from "./client.ts";
import { repositoryCreation } from "./repository.ts";
import { addRole, roleRead, roleWrite } from "./roles.ts";
import { isAsWanted, type ProviderStep, type Registered, type SetupOutcome, type SetupStep } from "../pipeline-setup.ts";

const IAM = "https://iam.googleapis.com/v1";
const REGISTRY = "https://artifactregistry.googleapis.com/v1";
const SERVICES = "https://serviceusage.googleapis.com/v1";
/** Milliseconds between two looks at an operation. */
const PAUSE = 500;

/** The requests that make what a step wants, on a project that has nothing of it. */
export function setupRequests(step: SetupStep): ApiRequest[] {
  const { project } = step;
  switch (step.kind) {
    case "apis":
      return [{ method: "POST", url: `${SERVICES}/projects/${project}/services:batchEnable`, body: { serviceIds: step.names } }];
    case "repository":
      return [repositoryCreation(step)];
    case "account":
      return [
        {
          method: "POST",
          url: `${IAM}/projects/${project}/serviceAccounts`,
          body: { accountId: step.email.split("@")[0], serviceAccount: { displayName: step.displayName } },
        },
      ];
    case "pool":
      return [{ method: "POST", url: `${poolsUrl(project)}?workloadIdentityPoolId=${step.pool}`, body: { displayName: step.displayName } }];
    case "provider":
      return [{ method: "POST", url: `${providersUrl(step)}?workloadIdentityPoolProviderId=${step.provider}`, body: providerBody(step) }];
    case "project-role":
    case "account-role": {
      const { member, role } = step;
      return [roleRead(step), roleWrite(step, { bindings: [{ role, members: [member] }], etag: "ETAG" })];
    }
  }
}

/** Makes what a step wants; what is there already is brought back where it was deleted, and changed where it differs. */
export async function setUpByApi(client: ApiClient, step: SetupStep, signal: AbortSignal): Promise<SetupOutcome> {
  if (step.kind === "project-role" || step.kind === "account-role") {
    await addRole(client, step, signal);
    return "granted";
  }
  if (step.kind === "account") return (await ensureAccount(client, step)) ? "made" : "there";
  const api = step.kind === "apis" ? SERVICES : step.kind === "repository" ? REGISTRY : IAM;
  const change = async (request: ApiRequest) => finished(client, api, await client.call(request), signal);
  const [creation] = setupRequests(step) as [ApiRequest];
  try {
    await change(creation);
    return step.kind === "apis" ? "enabled" : "made";
  } catch (error) {
    if (!(error instanceof CliError && error.code === "CONFLICT") || step.kind === "apis") throw error;
  }
  if (step.kind === "repository") return "there";
  const url = step.kind === "pool" ? `${poolsUrl(step.project)}/${step.pool}` : `${providersUrl(step)}/${step.provider}`;
  const found = (await client.call({ method: "GET", url })) as Registered;
  const isDeleted = found.state === "DELETED";
  if (isDeleted) await change({ method: "POST", url: `${url}:undelete`, body: {} });
  const isRight = step.kind === "pool" || isAsWanted(found, step);
  if (!isRight) {
    const mask = "displayName,oidc.issuerUri,attributeMapping,attributeCondition";
    await change({ method: "PATCH", url: `${url}?updateMask=${mask}`, body: providerBody(step) });
  }
  return isDeleted || !isRight ? "changed" : "there";
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

interface Operation {
  readonly name: string;
  readonly done?: boolean;
  readonly error?: { readonly message?: string };
}

/** Waits for a long-running operation: https://google.aip.dev/151 */
async function finished(client: ApiClient, api: string, answer: unknown, signal: AbortSignal): Promise<void> {
  let operation = answer as Operation;
  while (!operation.done) {
    await sleep(PAUSE, undefined, { signal }).catch(() => signal.throwIfAborted());
    operation = (await client.call({ method: "GET", url: `${api}/${operation.name}` })) as Operation;
  }
  if (operation.error)
    throw new CliError("GCLOUD_FAILED", `${new URL(api).host} gave up: ${operation.error.message ?? "it does not say why"}`);
}

import type { Cloud, Policy } from "../../cloud/cloud.ts";
import type { Service } from "../../cloud/service.ts";
import { servicePolicyIfAllowed } from "../../cloud/memberships.ts";
import type { ServiceName } from "../../cloud/names.ts";
import { INVOKER_ROLE } from "../../cloud/permissions.ts";
import { CliError } from "../../errors/cli-error.ts";
import { externalStep, nextStep } from "../../errors/next-step.ts";
import { poll } from "../../http/poll.ts";

export interface ServiceState {
  readonly service?: Service;
  /** Undefined if it can't be read; empty if the service doesn't exist. */
  readonly policy?: Policy;
}

export const NO_SERVICE: ServiceState = { policy: { bindings: [], etag: "" } };

/** Reads a service and its policy. Throws as the control plane does, except for a service that doesn't exist and a policy that can't be read. */
export async function readServiceState(cloud: Cloud, name: ServiceName): Promise<ServiceState> {
  const [service, policy] = await Promise.all([
    cloud.describe(name).catch(unlessMissing),
    servicePolicyIfAllowed(cloud, name).catch(unlessMissing),
  ]);
  return service ? { service, ...(policy && { policy }) } : NO_SERVICE;
}

/** Waits until the latest revision is ready. Throws DEPLOY_FAILED if it fails. */
export async function waitUntilReady(cloud: Cloud, name: ServiceName, signal: AbortSignal): Promise<Service> {
  const readIfSettled = () => cloud.describe(name).then((service) => (isDeploying(service) ? undefined : service));
  const service = await poll(readIfSettled, { signal, firstPauseMs: cloud.via === "api" ? 500 : 2000, maxPauseMs: 5000 });
  const failed = service.conditions.find(({ status }) => status === "False");
  if (!failed) return service;
  throw new CliError("DEPLOY_FAILED", failed.message ?? `Revision ${service.latest_created_revision} failed to start.`, {
    next: [nextStep("To see its logs", "logs", name.service)],
  });
}

/** Whether the latest revision is neither ready nor failed yet: a deployment is running, or was interrupted. */
export function isDeploying({ conditions }: Service): boolean {
  return conditions.find(({ type }) => type === "Ready")?.status === "Unknown";
}

export function isReady({ revision, latest_created_revision: latest }: Service): boolean {
  return revision !== null && revision === latest;
}

/** Whether all traffic goes to the latest revision, whichever that is. If not, someone has divided it or rolled back. */
export function isFollowingLatest({ traffic }: Service): boolean {
  return traffic.some(({ latest, percent }) => latest && percent === 100);
}

/** The traffic tag of a revision that gets no traffic until it has been called. */
export const CANDIDATE = "candidate";

/** Whether the latest revision is one that `up` deployed without traffic and hasn't promoted yet. */
export function hasCandidate({ traffic, latest_created_revision: latest }: Service): boolean {
  return traffic.some(({ tag, revision }) => tag === CANDIDATE && revision === latest);
}

/** Whether a member has the invoker role on the service itself, in a binding without a condition. */
export function canInvoke({ bindings }: Policy, member: string): boolean {
  return bindings.some((binding) => binding.role === INVOKER_ROLE && !("condition" in binding) && binding.members.includes(member));
}

/** Throws CONFLICT if the service is public: someone wants it to be, and `up` doesn't override that. */
export function assertPrivate({ service, policy }: ServiceState): void {
  if (!service) return;
  const publicMember = ["allUsers", "allAuthenticatedUsers"].find((member) => policy && canInvoke(policy, member));
  if (publicMember === undefined && !service.invoker_iam_disabled) return;
  const { service: name } = service;
  const why = publicMember ? `${publicMember} has access` : "its invoker IAM check is disabled";
  throw new CliError("CONFLICT", `Service "${name}" already exists and isn't private: ${why}.`, {
    hint: "`up` only changes private services.",
    next: [
      publicMember
        ? nextStep("To make it private", "revoke", name, "--member", publicMember)
        : externalStep("To make it private", "gcloud", ...iamCheckArgs(service)),
    ],
    details: { service: name },
  });
}

function iamCheckArgs({ service, project, region }: Service): string[] {
  return ["run", "services", "update", service, "--invoker-iam-check", "--project", project, "--region", region];
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof CliError && error.code === "NOT_FOUND" && error.subject?.kind === "service") return undefined;
  throw error;
}

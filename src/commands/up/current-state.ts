import { setTimeout as sleep } from "node:timers/promises";
import type { Cloud, Policy, Service } from "../../cloud/cloud.ts";
import type { ServiceName } from "../../cloud/names.ts";
import { CliError } from "../../errors/cli-error.ts";

/** What is there before anything is done. */
export interface ServiceState {
  readonly service: Service | undefined;
  /** Undefined where it may not be read. */
  readonly policy: Policy | undefined;
}

export const INVOKER = "roles/run.invoker";

/** The service and its policy. Throws as the control plane does, but for a service that is not there. */
export async function survey(cloud: Cloud, name: ServiceName): Promise<ServiceState> {
  const [service, policy] = await Promise.all([
    cloud.describe(name).catch(unlessMissing),
    cloud.policy(name).catch((error: unknown) => (isForbidden(error) ? undefined : unlessMissing(error))),
  ]);
  return { service, policy: service ? policy : { bindings: [], etag: "" } };
}

/** The service when its latest revision is ready or has failed: somebody may be deploying it, or have been interrupted doing so. */
export async function settle(cloud: Cloud, name: ServiceName, signal: AbortSignal): Promise<Service> {
  for (let pause = cloud.via === "api" ? 500 : 2000; ; pause = Math.min(pause * 1.5, 5000)) {
    const service = await cloud.describe(name);
    if (!isUnsettled(service)) return service;
    await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

export function isUnsettled({ conditions }: Service): boolean {
  return conditions.find(({ type }) => type === "Ready")?.status === "Unknown";
}

/** Whether the latest revision is one that can serve. */
export function isSound({ revision, latest_created_revision: latest }: Service): boolean {
  return revision !== null && revision === latest;
}

/** Whether all traffic goes to the latest revision, whichever that is. Else somebody has divided it, or taken a revision back. */
export function isFollowing({ traffic }: Service): boolean {
  return traffic.some(({ latest, percent }) => latest && percent === 100);
}

/** Whether the latest revision is one that `up` has deployed without traffic, and is yet to send it there. */
export function isPending({ traffic, latest_created_revision: latest }: Service): boolean {
  return traffic.some(({ tag, revision }) => tag === CANDIDATE && revision === latest);
}

/** The tag of a revision that is not to serve before it has been called. */
export const CANDIDATE = "candidate";

/** Whether a member has the role on the service itself, by a binding without a condition. */
export function mayInvoke({ bindings }: Policy, member: string): boolean {
  return bindings.some((binding) => binding.role === INVOKER && !("condition" in binding) && binding.members.includes(member));
}

/** Throws CONFLICT where the service is for everybody: somebody meant it so, and what comes of it is not for `up` to say. */
export function assertPrivate({ service, policy }: ServiceState): void {
  if (!service) return;
  const everybody = ["allUsers", "allAuthenticatedUsers"].find((member) => policy && mayInvoke(policy, member));
  if (everybody === undefined && !service.invoker_iam_disabled) return;
  throw new CliError(
    "CONFLICT",
    `The service ${service.service} is there already, and is not private: ${everybody ?? "nobody is asked who he is"}.`,
    {
      hint: everybody
        ? `Make it private first: cloudrun-oauth revoke ${service.service} --member ${everybody}`
        : `Make it private first: gcloud run services update ${service.service} --invoker-iam-check --project ${service.project} --region ${service.region}`,
      details: { service: service.service },
    },
  );
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof CliError && error.code === "NOT_FOUND" && error.subject?.kind === "service") return undefined;
  throw error;
}

function isForbidden(error: unknown): boolean {
  return error instanceof CliError && error.code === "PERMISSION_DENIED" && error.subject?.kind === "permission";
}

import type { ApiClient, ApiRequest } from "./client.ts";
import { serviceUrl } from "../messages/knative-url.ts";
import { withRetry } from "../retry.ts";
import type { GrantOptions, Policy } from "../cloud.ts";
import type { ServiceName } from "../names.ts";
import { notInRole } from "../member.ts";

type Members = readonly string[];
type Binding = Policy["bindings"][number];

/** How often others may be faster. */
const CONFLICTS = 20;

export function policyRead(options: ServiceName): ApiRequest {
  return { method: "GET", url: `${policyUrl(options)}:getIamPolicy?options.requestedPolicyVersion=3` };
}

export function policyWrite(options: ServiceName, policy: Policy): ApiRequest {
  return { method: "POST", url: `${policyUrl(options)}:setIamPolicy`, body: { policy: { version: 3, ...policy } } };
}

export async function getPolicy(client: ApiClient, options: ServiceName): Promise<Policy> {
  // The policy of a service that does not exist would read as an empty one.
  await client.call({ method: "GET", url: serviceUrl(options) });
  return readPolicy(await client.call(policyRead(options)));
}

/**
 * Read, modify, write; again from the start where somebody else was faster, or where it is not known whether it was written: then reading tells.
 * Bindings of other roles, and those with conditions, stay as they are. https://cloud.google.com/iam/docs/retry-strategy
 */
export async function changeMembers(
  client: ApiClient,
  options: Omit<GrantOptions, "member">,
  change: (members: Members) => Members,
  signal: AbortSignal,
): Promise<Policy> {
  return withRetry(
    async (attempt) => {
      const policy = attempt === 1 ? await getPolicy(client, options) : readPolicy(await client.call(policyRead(options)));
      const bindings = withMembers(policy.bindings, options.role, change);
      return bindings ? readPolicy(await client.call(policyWrite(options, { bindings, etag: policy.etag }))) : policy;
    },
    { signal, conflicts: CONFLICTS },
  );
}

/** The bindings with other members of a role; undefined where they have them already. A binding with a condition is another binding. */
function withMembers(bindings: readonly Binding[], role: string, change: (members: Members) => Members): Binding[] | undefined {
  const isMeant = (binding: Binding) => binding.role === role && !("condition" in binding && binding.condition);
  const before = bindings.filter(isMeant).flatMap(({ members }) => members);
  const members = change(before);
  if (members.length === before.length) return undefined;
  const first = bindings.findIndex(isMeant);
  const changed = members.length > 0 ? [{ role, members }] : [];
  if (first < 0) return [...bindings, ...changed];
  return bindings.flatMap((binding, index) => (index === first ? changed : isMeant(binding) ? [] : [binding]));
}

export function withMember(member: string): (members: Members) => Members {
  return (members) => (members.includes(member) ? members : [...members, member]);
}

export function withoutMember(member: string): (members: Members) => Members {
  return (members) => members.filter((other) => other !== member);
}

/** The same, and NOT_FOUND where the member has not got the role: unless he was seen in it, and is not there when it is read again. */
export function leaving(options: GrantOptions): (members: Members) => Members {
  let isSeen = false;
  return (members) => {
    isSeen ||= members.includes(options.member);
    if (!isSeen) throw notInRole(options);
    return withoutMember(options.member)(members);
  };
}

function policyUrl({ project, region, service }: ServiceName): string {
  return `https://run.googleapis.com/v1/projects/${project}/locations/${region}/services/${service}`;
}

function readPolicy(value: unknown): Policy {
  const { bindings = [], etag = "" } = value as Partial<Policy>;
  return { bindings, etag };
}

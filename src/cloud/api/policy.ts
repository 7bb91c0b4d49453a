import type { Binding, GrantOptions, Policy } from "../cloud.ts";
import { roleNotGranted } from "../member.ts";
import { serviceUrl } from "../messages/knative-url.ts";
import type { ProjectName, ServiceName } from "../names.ts";
import { withRetry } from "../retry.ts";
import { defineVerb } from "../verb.ts";
import { requestLine, type ApiClient, type ApiRequest } from "./client.ts";
import { requestVerb, type ClientFor } from "./request-verb.ts";

/** A policy of version 3 contains its conditions: https://cloud.google.com/iam/docs/policies#versions */
export const POLICY_VERSION = 3;

const MAX_CONFLICTS = 20;

export function policyVerbs(clientFor: ClientFor, signal: AbortSignal) {
  return {
    policy: defineVerb({
      plan: (options: ServiceName) => [requestLine(policyRequest(options))],
      run: (options) => getPolicy(clientFor(options), options),
    }),
    projectPolicy: requestVerb(clientFor, {
      request: ({ project }: ProjectName) => ({
        method: "POST",
        url: `https://cloudresourcemanager.googleapis.com/v1/projects/${project}:getIamPolicy`,
        body: { options: { requestedPolicyVersion: POLICY_VERSION } },
      }),
      read: readPolicy,
    }),
    grant: defineVerb({
      plan: (options: GrantOptions) => planBinding(options, { role: options.role, members: [options.member] }).map(requestLine),
      run: (options) => changeServiceMembers(clientFor(options), options, withMember(options.member), signal),
    }),
    revoke: defineVerb({
      plan: (options: GrantOptions) => planBinding(options).map(requestLine),
      run: (options) => changeServiceMembers(clientFor(options), options, withoutGrantedMember(options), signal),
    }),
  };
}

/** The requests that change a service's policy, which holds this binding alone afterwards. */
export function planBinding(options: ServiceName, ...bindings: readonly Binding[]): ApiRequest[] {
  return [policyRequest(options), setPolicyRequest(options, { bindings, etag: "ETAG" })];
}

export function changeServiceMembers(
  client: ApiClient,
  options: Omit<GrantOptions, "member">,
  change: MembersChange,
  signal: AbortSignal,
): Promise<Policy> {
  return changeMembers(client, {
    role: options.role,
    read: async (attempt) =>
      attempt === 1 ? getPolicy(client, options) : readPolicy(await client.call<Partial<Policy>>(policyRequest(options))),
    write: (policy) => setPolicyRequest(options, policy),
    change,
    signal,
  });
}

type Members = readonly string[];
type MembersChange = (members: Members) => Members;

interface PolicyChange {
  readonly role: string;
  read(attempt: number): Promise<Policy>;
  write(policy: Policy): ApiRequest;
  readonly change: MembersChange;
  readonly signal: AbortSignal;
}

/**
 * Read, modify, write: again from the start if another client was faster, or if it is not known whether the policy was written; then reading tells.
 * Bindings of other roles, and those with conditions, stay as they are. https://cloud.google.com/iam/docs/retry-strategy
 */
export async function changeMembers(client: ApiClient, { role, read, write, change, signal }: PolicyChange): Promise<Policy> {
  return withRetry(
    async (attempt) => {
      const policy = await read(attempt);
      const bindings = withMembers(policy.bindings, role, change);
      return bindings ? readPolicy(await client.call(write({ bindings, etag: policy.etag }))) : policy;
    },
    { signal, conflicts: MAX_CONFLICTS },
  );
}

/** The bindings with other members of a role; undefined if nothing changes. A binding with a condition is another binding. */
function withMembers(bindings: readonly Binding[], role: string, change: MembersChange): Binding[] | undefined {
  const isMeant = (binding: Binding) => binding.role === role && !binding.condition;
  const before = bindings.filter(isMeant).flatMap(({ members }) => members);
  const members = change(before);
  if (members.length === before.length) return undefined;
  const first = bindings.findIndex(isMeant);
  const changed = members.length > 0 ? [{ role, members }] : [];
  if (first < 0) return [...bindings, ...changed];
  return bindings.flatMap((binding, index) => (index === first ? changed : isMeant(binding) ? [] : [binding]));
}

export function withMember(member: string): MembersChange {
  return (members) => (members.includes(member) ? members : [...members, member]);
}

export function withoutMember(member: string): MembersChange {
  return (members) => members.filter((other) => other !== member);
}

/**
 * Throws NOT_FOUND if the member doesn't have the role. A member that had it at the first attempt was removed by
 * another client meanwhile.
 */
function withoutGrantedMember(options: GrantOptions): MembersChange {
  let hadRole = false;
  return (members) => {
    hadRole ||= members.includes(options.member);
    if (!hadRole) throw roleNotGranted(options);
    return withoutMember(options.member)(members);
  };
}

async function getPolicy(client: ApiClient, options: ServiceName): Promise<Policy> {
  // The policy of a service that doesn't exist reads as an empty one.
  await client.call({ method: "GET", url: serviceUrl(options) });
  return readPolicy(await client.call(policyRequest(options)));
}

export function policyRequest(options: ServiceName): ApiRequest {
  return { method: "GET", url: `${resourceUrl(options)}:getIamPolicy?options.requestedPolicyVersion=${POLICY_VERSION}` };
}

function setPolicyRequest(options: ServiceName, policy: Policy): ApiRequest {
  return { method: "POST", url: `${resourceUrl(options)}:setIamPolicy`, body: { policy: { version: POLICY_VERSION, ...policy } } };
}

function resourceUrl({ project, region, service }: ServiceName): string {
  return `https://run.googleapis.com/v1/projects/${project}/locations/${region}/services/${service}`;
}

export function readPolicy({ bindings = [], etag = "" }: Partial<Policy>): Policy {
  return { bindings, etag };
}

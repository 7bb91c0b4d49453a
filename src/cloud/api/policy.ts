import type { Binding, GrantOptions, Policy } from "../cloud.ts";
import { roleNotGranted } from "../errors/role-not-granted.ts";
import { serviceUrl } from "../messages/knative-url.ts";
import type { ProjectName, ServiceName } from "../names.ts";
import { withRetry } from "../retry.ts";
import { defineVerb } from "../verb.ts";
import { requestLine, type ApiClient, type ApiRequest } from "./client.ts";
import { requestVerb, type ClientFor } from "./request-verb.ts";

/** A policy of version 3 contains its conditions: https://cloud.google.com/iam/docs/policies#versions */
const POLICY_VERSION = 3;

const MAX_CONFLICTS = 20;

export function policyVerbs(clientFor: ClientFor, signal: AbortSignal) {
  return {
    policy: defineVerb({
      plan: (options: ServiceName) => [requestLine(policyRequest(options))],
      run: (options) => getPolicy(clientFor(options), options),
    }),
    projectPolicy: requestVerb(clientFor, { request: ({ project }: ProjectName) => policyRequest({ project }), read: readPolicy }),
    grant: defineVerb({
      plan: (options: GrantOptions) => planBinding(options, { role: options.role, members: [options.member] }).map(requestLine),
      run: (options) => changeMembers(clientFor(options), options, options.role, withMember(options.member), signal),
    }),
    revoke: defineVerb({
      plan: (options: GrantOptions) => planBinding(options).map(requestLine),
      run: (options) => changeMembers(clientFor(options), options, options.role, withoutGrantedMember(options), signal),
    }),
  };
}

/** What has a policy: a service, a service account, or a project. */
type PolicyOwner = ServiceName | { readonly project: string; readonly account?: string };
type MembersChange = (members: readonly string[]) => readonly string[];

/** The requests that change a policy, which contains only these bindings afterwards. */
export function planBinding(owner: PolicyOwner, ...bindings: readonly Binding[]): ApiRequest[] {
  return [policyRequest(owner), setPolicyRequest(owner, { bindings, etag: "ETAG" })];
}

/**
 * Read, modify, write: again from the start if another client was faster, or if it is not known whether the policy was written; then reading tells.
 * Bindings of other roles, and those with conditions, stay as they are. https://cloud.google.com/iam/docs/retry-strategy
 */
export function changeMembers(
  client: ApiClient,
  owner: PolicyOwner,
  role: string,
  change: MembersChange,
  signal: AbortSignal,
): Promise<Policy> {
  return withRetry(
    async (attempt) => {
      const policy = attempt === 1 ? await getPolicy(client, owner) : readPolicy(await client.call(policyRequest(owner)));
      const bindings = withMembers(policy.bindings, role, change);
      return bindings ? readPolicy(await client.call(setPolicyRequest(owner, { bindings, etag: policy.etag }))) : policy;
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

/** Throws NOT_FOUND if the member doesn't have the role at the first attempt. */
function withoutGrantedMember(options: GrantOptions): MembersChange {
  let hadRole = false;
  return (members) => {
    hadRole ||= members.includes(options.member);
    if (!hadRole) throw roleNotGranted(options);
    return withoutMember(options.member)(members);
  };
}

async function getPolicy(client: ApiClient, owner: PolicyOwner): Promise<Policy> {
  // The policy of a service that doesn't exist reads as an empty one.
  if ("service" in owner) await client.call({ method: "GET", url: serviceUrl(owner) });
  return readPolicy(await client.call(policyRequest(owner)));
}

export function policyRequest(owner: PolicyOwner): ApiRequest {
  const url = `${resourceUrl(owner)}:getIamPolicy`;
  if (!("service" in owner) && owner.account === undefined)
    return { method: "POST", url, body: { options: { requestedPolicyVersion: POLICY_VERSION } } };
  return { method: "service" in owner ? "GET" : "POST", url: `${url}?options.requestedPolicyVersion=${POLICY_VERSION}` };
}

function setPolicyRequest(owner: PolicyOwner, policy: Policy): ApiRequest {
  return { method: "POST", url: `${resourceUrl(owner)}:setIamPolicy`, body: { policy: { version: POLICY_VERSION, ...policy } } };
}

function resourceUrl(owner: PolicyOwner): string {
  const path = `projects/${owner.project}`;
  if ("service" in owner) return `https://run.googleapis.com/v1/${path}/locations/${owner.region}/services/${owner.service}`;
  if (owner.account === undefined) return `https://cloudresourcemanager.googleapis.com/v1/${path}`;
  return `https://iam.googleapis.com/v1/${path}/serviceAccounts/${owner.account}`;
}

function readPolicy({ bindings = [], etag = "" }: Partial<Policy>): Policy {
  return { bindings, etag };
}

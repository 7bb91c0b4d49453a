import { checkEtag, createEtag } from "../state/etag.ts";
import { isStringArray } from "../server/json.ts";
import { createHash } from "node:crypto";
import type { ApiRequest } from "../server/api-request.ts";
import type { Identity, Principal } from "./principal.ts";
import { ApiError, permissionDenied } from "../server/errors.ts";
import { checkMemberDomains } from "../organization/org-policies.ts";
import type { Binding, Policy } from "../state/resources.ts";
import type { State } from "../state/state.ts";
import { isConditionMet } from "./conditions.ts";
import { checkMember, matchesMember } from "./members.ts";
import { parsePolicy, parseVersion, SEE } from "./policy-request.ts";
import { canonicalName } from "./resource-names.ts";
import { ROLES, roleGrants } from "./roles.ts";

/** A policy as Google's APIs show it. */
type PolicyMessage = Omit<Policy, "superseded">;

/** The etag that Google gives a policy which was never set. */
const UNSET_ETAG = "ACAB";
/** The setting that says how long a change of a policy is on its way, in milliseconds. */
const PROPAGATION = "iamPropagation";

/** From now on, changes of policies take effect after so many milliseconds. https://cloud.google.com/iam/docs/access-change-propagation */
export function setIamPropagation(state: State, milliseconds: number): void {
  if ((state.settings.get(PROPAGATION) ?? 0) !== milliseconds) state.settings.set(PROPAGATION, milliseconds);
}

/**
 * The policy of a resource (`projects/P`, `projects/P/locations/R/services/S`, `projects/P/serviceAccounts/E`); an empty one where none was set.
 * Conditions are shown to who asks for version 3; to others the roles' names tell that there are some, as Google has it.
 */
export function getPolicy(state: State, resource: string, version = 1): PolicyMessage {
  const { superseded: _, ...policy } = state.policies.get(canonicalName(state, resource)) ?? { version: 1, bindings: [], etag: UNSET_ETAG };
  return version < policy.version ? { ...policy, version: 1, bindings: policy.bindings.map(hideCondition) } : policy;
}

/** The policy of a resource in the version that a getIamPolicy request asks for, by its URL (GET) or its body (POST). */
export async function readPolicy(state: State, resource: string, { method, query, body }: ApiRequest): Promise<PolicyMessage> {
  const inUrl = query.get("options.requestedPolicyVersion") ?? query.get("optionsRequestedPolicyVersion");
  const options = method === "GET" ? undefined : ((await body.json())["options"] as { requestedPolicyVersion?: unknown } | null);
  const version = method === "GET" ? Number(inUrl ?? 0) : (options?.requestedPolicyVersion ?? 0);
  return getPolicy(state, resource, parseVersion(version, "options.requested_policy_version"));
}

/**
 * Replaces the policy of a resource by the one of a setIamPolicy request, and returns what is now there.
 * Throws ApiError INVALID_ARGUMENT for a member, role or condition that Google refuses, ABORTED where the etag is not the current policy's.
 */
export function setPolicy(state: State, resource: string, policy: unknown): PolicyMessage {
  const { version, bindings, etag } = parsePolicy(policy);
  return state.transaction(() => {
    for (const { role, members } of bindings) {
      for (const member of members) checkMember(state, member);
      if (!Object.hasOwn(ROLES, role)) throw new ApiError("INVALID_ARGUMENT", `Role ${role} is not supported for this resource.`);
    }
    const current = getPolicy(state, resource, 3);
    // Without an etag the policy is overwritten, whatever its version: https://cloud.google.com/iam/docs/allow-policies#etag
    if (etag) {
      checkEtag(etag, current.etag);
      checkVersion(version, current.version);
    }
    const membersOf = (each: readonly Binding[]) => each.flatMap(({ members }) => members);
    checkMemberDomains(state, canonicalName(state, resource), membersOf(current.bindings), membersOf(bindings));
    const next: PolicyMessage = {
      version: bindings.some(({ condition }) => condition) ? 3 : 1,
      bindings: normalizeBindings(bindings),
      etag: createEtag(),
    };
    const superseded = remainingBindings(state, canonicalName(state, resource));
    state.policies.set(canonicalName(state, resource), { ...next, ...(superseded.length > 0 && { superseded }) });
    return next;
  });
}

/** Whether a caller, or one without a credential where `principal` is undefined, holds a permission on a resource, by its policy or its project's. */
export function isAllowed(state: State, principal: Identity | undefined, permission: string, resource: string): boolean {
  return resourceAndProject(state, resource).some((level) =>
    activeBindings(state, level).some(
      ({ role, members, condition }) =>
        roleGrants(role, permission) &&
        members.some((member) => matchesMember(member, principal)) &&
        (!condition || isConditionMet(condition, { time: state.now(), resource: canonicalName(state, resource) })),
    ),
  );
}

/** The resources whose policies decide about one: itself, and its project. */
export function resourceAndProject(state: State, resource: string): string[] {
  const name = canonicalName(state, resource);
  const end = name.indexOf("/", name.indexOf("/") + 1);
  return end < 0 ? [name] : [name, name.slice(0, end)];
}

/** The bindings that decide now: while a change is on its way, those from before it. */
export function activeBindings(state: State, resource: string): readonly Binding[] {
  const { bindings, superseded = [] } = state.policies.get(canonicalName(state, resource)) ?? { bindings: [] };
  return superseded.find(({ until }) => until > state.now())?.bindings ?? bindings;
}

/** Throws ApiError PERMISSION_DENIED where the caller does not hold the permission on the resource. */
export function authorize(state: State, principal: Principal, permission: string, resource: string): void {
  if (!isAllowed(state, principal, permission, resource)) throw permissionDenied(permission, resource);
}

/** The permissions of a testIamPermissions request that the caller holds; throws ApiError INVALID_ARGUMENT for what is no permission. */
export function testPermissions(state: State, principal: Principal, permissions: unknown, resource: string): string[] {
  const asked = permissions ?? [];
  if (!isStringArray(asked)) throw new ApiError("INVALID_ARGUMENT", "Invalid value at 'permissions'.");
  for (const permission of asked) {
    if (!/^\w+(\.\w+)+$/.test(permission))
      throw new ApiError("INVALID_ARGUMENT", `Permission ${permission} is not valid for this resource.`);
  }
  return asked.filter((permission) => isAllowed(state, principal, permission, resource));
}

function checkVersion(version: number, current: number): void {
  if (version >= current) return;
  throw new ApiError(
    "INVALID_ARGUMENT",
    `Specified policy version (${version}) cannot be less than the existing policy version (${current}). ${SEE}`,
  );
}

/** What stays in force for as long as a change that is made now is on its way. */
function remainingBindings(state: State, resource: string): NonNullable<Policy["superseded"]> {
  const delay = (state.settings.get(PROPAGATION) as number | undefined) ?? 0;
  if (delay === 0) return [];
  const { bindings, superseded = [] } = state.policies.get(resource) ?? { bindings: [] };
  return [...superseded.filter(({ until }) => until > state.now()), { bindings, until: state.now() + delay }];
}

function hideCondition({ role, members, condition }: Binding): Binding {
  if (!condition) return { role, members };
  const hash = createHash("sha256").update(JSON.stringify(condition)).digest("hex").slice(0, 20);
  return { role: `${role}_withcond_${hash}`, members };
}

/** One binding for a role under a condition and no member twice, both in order, and e-mail addresses in lower case: as Google stores them. */
function normalizeBindings(bindings: readonly Binding[]): Binding[] {
  const known = new Map<string, Binding & { readonly members: string[] }>();
  for (const { role, members, condition } of bindings) {
    const key = JSON.stringify([role, condition]);
    const binding = known.get(key) ?? { role, members: [], ...(condition && { condition }) };
    const names = members.map((member) => member.replace(/(?<=^(user|serviceAccount|group|domain):).*/, (name) => name.toLowerCase()));
    known.set(key, { ...binding, members: [...new Set([...binding.members, ...names])].sort() });
  }
  return [...known]
    .filter(([, { members }]) => members.length > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, binding]) => binding);
}

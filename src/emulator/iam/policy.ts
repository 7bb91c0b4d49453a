import { createHash } from "node:crypto";
import { checkEtag, createEtag } from "../state/etag.ts";
import { isStringArray } from "../server/json.ts";
import type { ApiRequest } from "../server/api-request.ts";
import type { Identity, Principal } from "./principal.ts";
import { invalidArgument, permissionDenied } from "../server/errors.ts";
import { checkMemberDomains } from "../organization/org-policies.ts";
import type { Binding, Policy } from "../state/resources.ts";
import type { State } from "../state/state.ts";
import { isConditionMet } from "./conditions.ts";
import { checkMember, matchesMember } from "./members.ts";
import { parsePolicy, parseVersion, SEE } from "./policy-request.ts";
import { canonicalName } from "./resource-names.ts";
import { ROLES, roleGrants } from "./roles.ts";

type PolicyMessage = Omit<Policy, "superseded">;

/** Google's etag for a policy that was never set. */
const UNSET_ETAG = "ACAB";
/** The setting with the milliseconds until a policy change takes effect. */
const PROPAGATION = "iamPropagation";

/** Delays the effect of future policy changes: https://cloud.google.com/iam/docs/access-change-propagation */
export function setIamPropagation(state: State, milliseconds: number): void {
  if ((state.settings.get(PROPAGATION) ?? 0) !== milliseconds) state.settings.set(PROPAGATION, milliseconds);
}

/**
 * The policy of a resource (`projects/P`, `projects/P/locations/R/services/S`, `projects/P/serviceAccounts/E`); empty if it was never set.
 * Conditions are only included in version 3; in other versions, the roles' names show that there are some, as in Google's responses.
 */
export function getPolicy(state: State, resource: string, version = 1): PolicyMessage {
  const { superseded: _, ...policy } = state.policies.get(canonicalName(state, resource)) ?? { version: 1, bindings: [], etag: UNSET_ETAG };
  return version < policy.version ? { ...policy, version: 1, bindings: policy.bindings.map(hideCondition) } : policy;
}

/** The policy of a resource in the version that a getIamPolicy request asks for in its URL (GET) or its body (POST). */
export async function readPolicy(state: State, resource: string, { method, query, body }: ApiRequest): Promise<PolicyMessage> {
  const inUrl = query.get("options.requestedPolicyVersion") ?? query.get("optionsRequestedPolicyVersion");
  const options = method === "GET" ? undefined : ((await body.json())["options"] as { requestedPolicyVersion?: unknown } | null);
  const version = method === "GET" ? Number(inUrl ?? 0) : (options?.requestedPolicyVersion ?? 0);
  return getPolicy(state, resource, parseVersion(version, "options.requested_policy_version"));
}

/**
 * Replaces the policy of a resource with that of a setIamPolicy request, and returns the new policy. Throws ApiError INVALID_ARGUMENT for a
 * member, role or condition that Google refuses, ABORTED if the etag isn't the current policy's.
 */
export function setPolicy(state: State, resource: string, policy: unknown): PolicyMessage {
  const { version, bindings, etag } = parsePolicy(policy);
  return state.transaction(() => {
    for (const { role, members } of bindings) {
      for (const member of members) checkMember(state, member);
      if (!Object.hasOwn(ROLES, role)) throw invalidArgument(`Role ${role} is not supported for this resource.`);
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

/**
 * Whether a caller has a permission on a resource, through its policy or its project's; `principal` is undefined for a caller without a
 * credential.
 */
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

/** The resources whose policies apply to a resource: itself and its project. */
export function resourceAndProject(state: State, resource: string): string[] {
  const name = canonicalName(state, resource);
  const end = name.indexOf("/", name.indexOf("/") + 1);
  return end < 0 ? [name] : [name, name.slice(0, end)];
}

/** The bindings that apply now: those before the last change while it is propagating. */
export function activeBindings(state: State, resource: string): readonly Binding[] {
  const { bindings, superseded = [] } = state.policies.get(canonicalName(state, resource)) ?? { bindings: [] };
  return superseded.find(({ until }) => until > state.now())?.bindings ?? bindings;
}

/** Throws ApiError PERMISSION_DENIED if the caller doesn't have the permission on the resource. */
export function authorize(state: State, principal: Principal, permission: string, resource: string): void {
  if (!isAllowed(state, principal, permission, resource)) throw permissionDenied(permission, resource);
}

/** The permissions of a testIamPermissions request that the caller has. Throws ApiError INVALID_ARGUMENT for a permission that isn't valid. */
export function testPermissions(state: State, principal: Principal, permissions: unknown, resource: string): string[] {
  const requested = permissions ?? [];
  if (!isStringArray(requested)) throw invalidArgument("Invalid value at 'permissions'.");
  for (const permission of requested) {
    if (!/^\w+(\.\w+)+$/.test(permission)) throw invalidArgument(`Permission ${permission} is not valid for this resource.`);
  }
  return requested.filter((permission) => isAllowed(state, principal, permission, resource));
}

function checkVersion(version: number, current: number): void {
  if (version >= current) return;
  throw invalidArgument(`Specified policy version (${version}) cannot be less than the existing policy version (${current}). ${SEE}`);
}

/** The earlier bindings that stay active while a change that is made now is propagating. */
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

/** One binding per role and condition, without duplicate members, sorted, with email addresses in lower case: as Google stores them. */
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

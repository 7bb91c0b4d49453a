import type { Identity } from "./principal.ts";
import { invalidArgument } from "../server/errors.ts";
import type { Binding } from "../state/resources.ts";
import type { State } from "../state/state.ts";
import { isConditionMet } from "./conditions.ts";
import { matchesMember } from "./members.ts";
import { activeBindings, getPolicy, isAllowed, resourceAndProject } from "./policy.ts";
import { canonicalName } from "./resource-names.ts";
import { roleGrants } from "./roles.ts";

/** A troubleshooting request: whether a principal has a permission on a resource. Google's AccessTuple message. */
export interface AccessTuple {
  /** An email address or a `principal://`. */
  readonly principal: string;
  /** `//run.googleapis.com/projects/P/locations/R/services/S` */
  readonly fullResourceName: string;
  readonly permission: string;
}

type Access = "GRANTED" | "NOT_GRANTED" | "UNKNOWN_INFO_DENIED";

/** https://cloud.google.com/policy-intelligence/docs/troubleshoot-access for the policies that `asker` can read */
export function troubleshoot(state: State, { principal, fullResourceName, permission }: AccessTuple, asker: Identity): object {
  const [, host = "", name = ""] = /^\/\/([a-z.]+)\/(projects\/.+)$/.exec(fullResourceName) ?? [];
  if (name === "") throw invalidArgument(`Invalid full resource name: ${fullResourceName}`);
  const resource = canonicalName(state, name);
  const identity = parsePrincipal(state, principal);
  const explainedPolicies = resourceAndProject(state, resource).map((level) => {
    const owner = level === resource ? host : "cloudresourcemanager.googleapis.com";
    if (!isAllowed(state, asker, readPermission(owner, level), level)) return { access: "UNKNOWN_INFO_DENIED" as Access };
    const bindings = activeBindings(state, level).map((binding) =>
      explainBinding(binding, identity, permission, { time: state.now(), resource }),
    );
    const access: Access = bindings.some((binding) => binding.access === "GRANTED") ? "GRANTED" : "NOT_GRANTED";
    const { etag, version } = getPolicy(state, level, 3);
    return {
      access,
      fullResourceName: `//${owner}/${level}`,
      policy: { version, etag, bindings: activeBindings(state, level) },
      bindingExplanations: bindings,
      relevance: relevance(access === "GRANTED"),
    };
  });
  const access = (["GRANTED", "UNKNOWN_INFO_DENIED"] as const).find((each) => explainedPolicies.some((policy) => policy.access === each));
  return { access: access ?? "NOT_GRANTED", explainedPolicies, errors: [...listCaveats(state, principal, resource)] };
}

function explainBinding(
  { role, members, condition }: Binding,
  identity: Identity,
  permission: string,
  attributes: Parameters<typeof isConditionMet>[1],
): { readonly access: Access; readonly [field: string]: unknown } {
  const isInRole = roleGrants(role, permission);
  const isMember = members.some((member) => matchesMember(member, identity));
  // Unlike Cloud Run: a condition is evaluated for the current time; Google answers UNKNOWN_CONDITIONAL.
  const isGranted = isInRole && isMember && (!condition || isConditionMet(condition, attributes));
  return {
    access: isGranted ? "GRANTED" : "NOT_GRANTED",
    role,
    rolePermission: isInRole ? "ROLE_PERMISSION_INCLUDED" : "ROLE_PERMISSION_NOT_INCLUDED",
    rolePermissionRelevance: relevance(isInRole),
    memberships: Object.fromEntries(
      members.map((member) => {
        const isIncluded = matchesMember(member, identity);
        return [member, { membership: isIncluded ? "MEMBERSHIP_INCLUDED" : "MEMBERSHIP_NOT_INCLUDED", relevance: relevance(isIncluded) }];
      }),
    ),
    relevance: relevance(isInRole && isMember),
    ...(condition && { condition }),
  };
}

function relevance(isHigh: boolean): "HIGH" | "NORMAL" {
  return isHigh ? "HIGH" : "NORMAL";
}

// Unlike Cloud Run: the principal can also be a `principal://`, whose only known set is its whole pool.
function parsePrincipal(state: State, principal: string): Identity {
  const [, pool] = /^principal:(\/\/.+)\/subject\/.+$/.exec(principal) ?? [];
  if (pool !== undefined) return { member: principal, email: principal, principalSets: [`principalSet:${pool}/*`] };
  if (!/^[^@\s:]+@[^@\s:]+$/.test(principal)) throw invalidArgument(`Invalid principal: ${principal}`);
  const email = principal.toLowerCase();
  const isAccount = state.serviceAccounts.get(email) !== undefined || email.endsWith(".gserviceaccount.com");
  return { member: `${isAccount ? "serviceAccount" : "user"}:${email}`, email };
}

/** The permission to read a resource's policy, such as `run.services.getIamPolicy`. */
function readPermission(host: string, resource: string): string {
  const service = host === "cloudresourcemanager.googleapis.com" ? "resourcemanager" : host.split(".", 1)[0];
  return `${service}.${resource.split("/").at(-2)}.getIamPolicy`;
}

/** What policies don't show: an account that can't act, and a change that is still propagating. */
function* listCaveats(state: State, principal: string, resource: string): Generator<{ code: number; message: string }> {
  const account = state.serviceAccounts.get(principal.toLowerCase());
  if (!account && principal.endsWith(".gserviceaccount.com")) yield { code: 5, message: `Service account ${principal} does not exist.` };
  if (account?.disabled) yield { code: 9, message: `Service account ${account.email} is disabled.` };
  for (const level of resourceAndProject(state, resource)) {
    const until = state.policies.get(level)?.superseded?.at(-1)?.until ?? 0;
    if (until > state.now())
      yield { code: 14, message: `The last change of the policy of ${level} takes effect at ${new Date(until).toISOString()}.` };
  }
}

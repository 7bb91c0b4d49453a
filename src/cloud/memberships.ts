import { CliError } from "../errors/cli-error.ts";
import type { Binding, Cloud, Policy } from "./cloud.ts";
import type { ProjectName, ServiceName } from "./names.ts";
import { isInvokerRole } from "./permissions.ts";

/** A member's role, and where it comes from. */
export interface Membership {
  readonly member: string;
  readonly role: string;
  /** Whether the role lets its members call; null for a role of somebody's own. */
  readonly may_call: boolean | null;
  /** "project" where the project grants it on all that is in it; null where the service does. */
  readonly inherited_from: "project" | null;
  /** It counts only where this holds. */
  readonly condition: { readonly title: string | null; readonly expression: string } | null;
}

/** Who has which role by a policy. */
export function listMemberships(policy: Policy | undefined, inheritedFrom: Membership["inherited_from"]): Membership[] {
  return (policy?.bindings ?? []).flatMap(({ role, members, condition }) =>
    members.map((member) => ({
      member,
      role,
      may_call: isInvokerRole(role),
      inherited_from: inheritedFrom,
      condition: readCondition(condition),
    })),
  );
}

/** A service's policy; undefined if the caller can't read it. */
export function servicePolicyIfAllowed(cloud: Cloud, name: ServiceName): Promise<Policy | undefined> {
  return cloud.policy(name).catch(unlessForbidden);
}

/** The project's policy; undefined if the caller can't read it, or the API that tells it isn't enabled. */
export function projectPolicyIfAllowed(cloud: Cloud, { project }: ProjectName): Promise<Policy | undefined> {
  return cloud.projectPolicy({ project }).catch(unlessForbidden);
}

function unlessForbidden(error: unknown): undefined {
  if (error instanceof CliError && error.code === "PERMISSION_DENIED") return undefined;
  throw error;
}

function readCondition(condition: Binding["condition"]): Membership["condition"] {
  return condition ? { title: condition.title || null, expression: condition.expression } : null;
}

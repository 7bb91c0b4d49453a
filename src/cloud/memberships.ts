import { CliError } from "../errors/cli-error.ts";
import type { Binding, Cloud, Policy } from "./cloud.ts";
import type { ProjectName, ServiceName } from "./names.ts";
import { isInvokerRole } from "./permissions.ts";

/** A member's role, and what grants it. */
export interface Membership {
  readonly member: string;
  readonly role: string;
  /** Whether members of the role can invoke the service; null for a custom role. */
  readonly may_call: boolean | null;
  /** "project" if the service inherits the role from the project; null if the service grants it. */
  readonly inherited_from: "project" | null;
  /** The membership applies only if this is true. */
  readonly condition: { readonly title: string | null; readonly expression: string } | null;
}

/** The members and roles of a policy. */
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

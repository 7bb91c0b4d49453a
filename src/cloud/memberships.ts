import { CliError } from "../errors/cli-error.ts";
import type { Binding, Cloud, Policy } from "./cloud.ts";
import type { ProjectName, ServiceName } from "./names.ts";
import { isInvokerRole } from "./permissions.ts";

export interface Membership {
  readonly member: string;
  readonly role: string;
  readonly may_call: boolean | null;
  /** "project" if the service inherits the role from the project; null if the service grants it. */
  readonly inherited_from: "project" | null;
  readonly condition: { readonly title: string | null; readonly expression: string } | null;
}

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

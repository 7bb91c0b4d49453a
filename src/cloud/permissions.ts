/** The role whose members can invoke a service: https://cloud.google.com/run/docs/reference/iam/roles */
export const INVOKER_ROLE = "roles/run.invoker";

/** "Typically 2 minutes, potentially 7 minutes or longer": https://cloud.google.com/iam/docs/access-change-propagation */
export const GRANT_TIMEOUT_MS = 10 * 60_000;

export const INVOKER_ROLES: ReadonlySet<string> = new Set([INVOKER_ROLE, "roles/run.servicesInvoker", "roles/run.admin"]);

/** Owners and editors of a project can invoke its services: https://cloud.google.com/run/docs/securing/managing-access */
const BASIC_INVOKERS: ReadonlySet<string> = new Set(["roles/owner", "roles/editor"]);

/** Whether members of a role can invoke a service; null for a custom role, which can have any permission. */
export function isInvokerRole(role: string): boolean | null {
  return role.startsWith("roles/") ? INVOKER_ROLES.has(role) || BASIC_INVOKERS.has(role) : null;
}

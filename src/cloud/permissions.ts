/** The role whose members can invoke a service: https://cloud.google.com/run/docs/reference/iam/roles */
export const INVOKER_ROLE = "roles/run.invoker";

/**
 * How long a grant can take: "typically 2 minutes, potentially 7 minutes or longer". See
 * https://cloud.google.com/iam/docs/access-change-propagation.
 */
export const GRANT_TIMEOUT_MS = 10 * 60_000;

/**
 * The predefined role to ask for, by the prefix of a permission; the first match counts. See
 * https://cloud.google.com/iam/docs/roles-permissions.
 */
const ROLES: readonly (readonly [permission: string, role: string])[] = [
  ["run.services.setiampolicy", "roles/run.admin"],
  ["run.routes.invoke", INVOKER_ROLE],
  ["run.", "roles/run.developer"],
  ["iam.serviceaccounts.actas", "roles/iam.serviceAccountUser"],
  ["iam.serviceaccounts.getopenidtoken", "roles/iam.serviceAccountOpenIdTokenCreator"],
  ["iam.serviceaccounts.getaccesstoken", "roles/iam.serviceAccountTokenCreator"],
  ["iam.serviceaccounts.", "roles/iam.serviceAccountAdmin"],
  ["iam.workloadidentitypool", "roles/iam.workloadIdentityPoolAdmin"],
  ["iam.serviceaccountkeys.", "roles/iam.serviceAccountKeyAdmin"],
  ["cloudbuild.", "roles/cloudbuild.builds.editor"],
  ["artifactregistry.repositories.createonpush", "roles/artifactregistry.createOnPushWriter"],
  ["artifactregistry.repositories.create", "roles/artifactregistry.admin"],
  ["artifactregistry.repositories.upload", "roles/artifactregistry.writer"],
  ["artifactregistry.", "roles/artifactregistry.reader"],
  ["storage.buckets.", "roles/storage.admin"],
  ["storage.objects.", "roles/storage.objectAdmin"],
  ["serviceusage.services.enable", "roles/serviceusage.serviceUsageAdmin"],
  ["serviceusage.", "roles/serviceusage.serviceUsageConsumer"],
  ["logging.", "roles/logging.viewer"],
  ["resourcemanager.projects.setiampolicy", "roles/resourcemanager.projectIamAdmin"],
  ["resourcemanager.projects.", "roles/browser"],
];

/** The role that has a permission; undefined if this table has none. */
export function findRole(permission: string): string | undefined {
  const name = permission.toLowerCase();
  return ROLES.find(([prefix]) => name.startsWith(prefix))?.[1];
}

/** The predefined roles on a service whose members can invoke it. */
export const INVOKER_ROLES: ReadonlySet<string> = new Set([INVOKER_ROLE, "roles/run.servicesInvoker", "roles/run.admin"]);

/** Owners and editors of a project can invoke its services: https://cloud.google.com/run/docs/securing/managing-access */
const BASIC_INVOKERS: ReadonlySet<string> = new Set(["roles/owner", "roles/editor"]);

/** Whether members of a role can invoke a service; null for a custom role, which can have any permission. */
export function isInvokerRole(role: string): boolean | null {
  return role.startsWith("roles/") ? INVOKER_ROLES.has(role) || BASIC_INVOKERS.has(role) : null;
}

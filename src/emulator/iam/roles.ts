/** A predefined role. `*` in a permission matches any letters and dots. */
export interface Role {
  readonly title: string;
  readonly permissions: readonly string[];
  /** Excluded from `permissions`. */
  readonly except: readonly string[];
}

function role(title: string, permissions: readonly string[], except: readonly string[] = []): Role {
  return { title, permissions, except };
}

function on(resource: string, ...verbs: readonly string[]): string[] {
  return verbs.map((verb) => `${resource}.${verb}`);
}

const PROJECT = ["resourcemanager.projects.get", "resourcemanager.projects.list"];
const SHOW_ROLES = ["iam.roles.get", "iam.roles.list"];
const SHOW_RUN = [
  "run.configurations.*",
  ...on("run.revisions", "get", "list"),
  ...on("run.routes", "get", "list"),
  ...on("run.services", "get", "getIamPolicy", "list"),
  "run.locations.list",
  ...on("run.operations", "get", "list"),
];
const CHANGE_RUN = ["run.services.create", "run.services.delete", "run.services.update", "run.revisions.delete", "run.operations.delete"];
const PULL = [
  ...on("artifactregistry.repositories", "get", "list", "downloadArtifacts"),
  "artifactregistry.dockerimages.*",
  "artifactregistry.files.*",
  "artifactregistry.locations.*",
  ...on("artifactregistry.tags", "get", "list"),
  ...on("artifactregistry.versions", "get", "list"),
  ...on("artifactregistry.packages", "get", "list"),
];
const PUSH = ["artifactregistry.repositories.uploadArtifacts", "artifactregistry.tags.create", "artifactregistry.tags.update"];
const SHOW_ACCOUNTS = ["iam.serviceAccounts.get", "iam.serviceAccounts.list"];
const BUILD = ["cloudbuild.builds.*", "cloudbuild.operations.*", "cloudbuild.locations.*"];
/** No basic role, not even owner, includes acting as an account. */
const IMPERSONATE = on("iam.serviceAccounts", "getAccessToken", "getOpenIdToken", "implicitDelegation", "signBlob", "signJwt");

/**
 * The predefined roles that the emulator knows, with their permissions on the emulated APIs. Owners, editors and Cloud Run Admins can
 * invoke services; only owners and Cloud Run Admins can change who can: https://cloud.google.com/run/docs/securing/managing-access and
 * https://cloud.google.com/iam/docs/roles-permissions
 */
export const ROLES: Readonly<Record<string, Role>> = {
  "roles/owner": role("Owner", ["*"], IMPERSONATE),
  "roles/editor": role(
    "Editor",
    ["*"],
    [
      ...IMPERSONATE,
      "*.setIamPolicy",
      "secretmanager.versions.access",
      ...on("iam.roles", "create", "update", "delete"),
      "resourcemanager.projects.delete",
    ],
  ),
  "roles/viewer": role(
    "Viewer",
    ["*.get", "*.list", "*.getIamPolicy", "artifactregistry.repositories.downloadArtifacts"],
    ["storage.objects.*"],
  ),
  "roles/browser": role("Browser", [
    ...on("resourcemanager.projects", "get", "getIamPolicy", "list"),
    "resourcemanager.folders.*",
    "resourcemanager.organizations.get",
  ]),
  "roles/resourcemanager.projectIamAdmin": role("Project IAM Admin", [
    ...on("resourcemanager.projects", "get", "getIamPolicy", "setIamPolicy"),
  ]),

  "roles/run.admin": role("Cloud Run Admin", ["run.*", ...PROJECT]),
  "roles/run.developer": role("Cloud Run Developer", [...SHOW_RUN, ...CHANGE_RUN, ...PROJECT]),
  "roles/run.viewer": role("Cloud Run Viewer", [...SHOW_RUN, ...PROJECT]),
  "roles/run.invoker": role("Cloud Run Invoker", ["run.routes.invoke", "run.jobs.run"]),
  "roles/run.servicesInvoker": role("Cloud Run Service Invoker", ["run.routes.invoke"]),
  "roles/run.sourceDeveloper": role("Cloud Run Source Developer", [
    ...SHOW_RUN,
    ...CHANGE_RUN,
    ...BUILD,
    ...PULL,
    ...on("artifactregistry.repositories", "create", "deleteArtifacts"),
    ...on("storage.buckets", "create", "get", "list"),
    "storage.objects.*",
    ...on("serviceusage.services", "get", "list"),
    ...PROJECT,
  ]),
  "roles/run.builder": role("Cloud Run Builder", [
    ...on("artifactregistry.repositories", "deleteArtifacts", "downloadArtifacts", "uploadArtifacts"),
    "logging.logEntries.create",
    "source.repos.get",
    "storage.objects.get",
  ]),

  "roles/iap.httpsResourceAccessor": role("IAP-secured Web App User", ["iap.webServiceVersions.accessViaIAP"]),

  "roles/iam.serviceAccountUser": role("Service Account User", ["iam.serviceAccounts.actAs", ...SHOW_ACCOUNTS, ...PROJECT]),
  "roles/iam.serviceAccountTokenCreator": role("Service Account Token Creator", [...IMPERSONATE, ...SHOW_ACCOUNTS, ...PROJECT]),
  "roles/iam.serviceAccountOpenIdTokenCreator": role("Service Account OpenID Connect Identity Token Creator", [
    "iam.serviceAccounts.getOpenIdToken",
  ]),
  "roles/iam.serviceAccountAdmin": role("Service Account Admin", [
    ...on("iam.serviceAccounts", "create", "delete", "disable", "enable", "getIamPolicy", "setIamPolicy", "undelete", "update"),
    ...SHOW_ACCOUNTS,
    ...PROJECT,
  ]),
  "roles/iam.serviceAccountKeyAdmin": role("Service Account Key Admin", ["iam.serviceAccountKeys.*", ...SHOW_ACCOUNTS, ...PROJECT]),
  "roles/iam.serviceAccountViewer": role("View Service Accounts", [
    ...SHOW_ACCOUNTS,
    "iam.serviceAccounts.getIamPolicy",
    ...on("iam.serviceAccountKeys", "get", "list"),
    ...PROJECT,
  ]),
  "roles/iam.workloadIdentityUser": role("Workload Identity User", [
    ...on("iam.serviceAccounts", "getAccessToken", "getOpenIdToken"),
    ...SHOW_ACCOUNTS,
  ]),
  "roles/iam.workloadIdentityPoolAdmin": role("IAM Workload Identity Pool Admin", [
    "iam.workloadIdentityPools.*",
    "iam.workloadIdentityPoolProviders.*",
    ...PROJECT,
  ]),
  "roles/iam.workloadIdentityPoolViewer": role("IAM Workload Identity Pool Viewer", [
    ...on("iam.workloadIdentityPools", "get", "list"),
    ...on("iam.workloadIdentityPoolProviders", "get", "list"),
    ...PROJECT,
  ]),
  "roles/iam.securityReviewer": role("Security Reviewer", ["*.list", "*.getIamPolicy"]),
  "roles/iam.roleViewer": role("Role Viewer", [...SHOW_ROLES, ...PROJECT]),

  "roles/cloudbuild.builds.editor": role("Cloud Build Editor", [...BUILD, ...PROJECT]),
  "roles/cloudbuild.builds.viewer": role("Cloud Build Viewer", [
    ...on("cloudbuild.builds", "get", "list"),
    "cloudbuild.operations.*",
    "cloudbuild.locations.*",
    ...PROJECT,
  ]),
  "roles/cloudbuild.builds.builder": role("Cloud Build Service Account", [
    ...BUILD,
    ...PULL,
    ...PUSH,
    "artifactregistry.repositories.create",
    ...on("logging.logEntries", "create", "list"),
    ...on("storage.buckets", "create", "get", "list"),
    "storage.objects.*",
    ...PROJECT,
  ]),

  "roles/storage.admin": role("Storage Admin", ["storage.*", ...PROJECT]),
  "roles/storage.objectAdmin": role("Storage Object Admin", ["storage.objects.*", ...PROJECT]),
  "roles/storage.objectCreator": role("Storage Object Creator", ["storage.objects.create", ...PROJECT]),
  "roles/storage.objectViewer": role("Storage Object Viewer", ["storage.objects.get", "storage.objects.list", ...PROJECT]),
  "roles/artifactregistry.admin": role("Artifact Registry Administrator", ["artifactregistry.*"]),
  "roles/artifactregistry.writer": role("Artifact Registry Writer", [...PULL, ...PUSH]),
  "roles/artifactregistry.reader": role("Artifact Registry Reader", PULL),

  "roles/logging.viewer": role(
    "Logs Viewer",
    ["logging.*.get", "logging.*.list", "resourcemanager.projects.get"],
    ["logging.privateLogEntries.*"],
  ),
  "roles/logging.logWriter": role("Logs Writer", ["logging.logEntries.create", "logging.logEntries.route"]),
  "roles/serviceusage.serviceUsageConsumer": role("Service Usage Consumer", [
    ...on("serviceusage.services", "get", "list", "use"),
    "serviceusage.quotas.get",
  ]),
  "roles/serviceusage.serviceUsageAdmin": role("Service Usage Admin", ["serviceusage.*"]),
  "roles/secretmanager.admin": role("Secret Manager Admin", ["secretmanager.*", ...PROJECT]),
  "roles/secretmanager.secretAccessor": role("Secret Manager Secret Accessor", ["secretmanager.versions.access", ...PROJECT]),
  "roles/secretmanager.secretVersionAdder": role("Secret Manager Secret Version Adder", ["secretmanager.versions.add", ...PROJECT]),
  "roles/secretmanager.secretVersionManager": role("Secret Manager Secret Version Manager", [
    ...on("secretmanager.versions", "add", "destroy", "disable", "enable", "get", "list"),
    "secretmanager.secrets.get",
    "secretmanager.secrets.list",
    ...PROJECT,
  ]),
  "roles/secretmanager.viewer": role("Secret Manager Viewer", [
    ...on("secretmanager.secrets", "get", "list", "getIamPolicy"),
    "secretmanager.versions.get",
    "secretmanager.versions.list",
    "secretmanager.locations.*",
    ...PROJECT,
  ]),
};

/** Whether a role includes a permission; unknown roles include none. */
export function roleGrants(name: string, permission: string): boolean {
  const roles = grantCache.get(permission) ?? new Map<string, boolean>();
  const cached = roles.get(name);
  if (cached !== undefined) return cached;
  const isGranted = matchesRole(name, permission);
  if (grantCache.size < MAX_CACHED_PERMISSIONS) grantCache.set(permission, roles.set(name, isGranted));
  return isGranted;
}

/** Cached results by permission and role, which never change: each request to a service checks the same ones. */
const grantCache = new Map<string, Map<string, boolean>>();
const MAX_CACHED_PERMISSIONS = 1000;

function matchesRole(name: string, permission: string): boolean {
  const role = Object.hasOwn(ROLES, name) ? ROLES[name] : undefined;
  if (!role) return false;
  return (
    role.permissions.some((pattern) => matchesPattern(permission, pattern)) &&
    !role.except.some((pattern) => matchesPattern(permission, pattern))
  );
}

function matchesPattern(permission: string, pattern: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return permission === pattern;
  return (
    permission.length >= pattern.length - 1 && permission.startsWith(pattern.slice(0, star)) && permission.endsWith(pattern.slice(star + 1))
  );
}

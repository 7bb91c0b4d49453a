/** A predefined role. `*` in a permission matches any letters and dots. */
export interface Role {
  readonly title: string;
  readonly permissions: readonly string[];
  /** Excluded from `permissions`. */
  readonly except?: readonly string[];
}

const PROJECT = ["resourcemanager.projects.get", "resourcemanager.projects.list"];
const SHOW_ROLES = ["iam.roles.get", "iam.roles.list"];
const SHOW_RUN = [
  "run.configurations.*",
  "run.revisions.get",
  "run.revisions.list",
  "run.routes.get",
  "run.routes.list",
  "run.services.get",
  "run.services.getIamPolicy",
  "run.services.list",
  "run.locations.list",
  "run.operations.get",
  "run.operations.list",
];
const CHANGE_RUN = ["run.services.create", "run.services.delete", "run.services.update", "run.revisions.delete", "run.operations.delete"];
const PULL = [
  "artifactregistry.repositories.get",
  "artifactregistry.repositories.list",
  "artifactregistry.repositories.downloadArtifacts",
  "artifactregistry.dockerimages.*",
  "artifactregistry.files.*",
  "artifactregistry.locations.*",
  "artifactregistry.tags.get",
  "artifactregistry.tags.list",
  "artifactregistry.versions.get",
  "artifactregistry.versions.list",
  "artifactregistry.packages.get",
  "artifactregistry.packages.list",
];
const PUSH = ["artifactregistry.repositories.uploadArtifacts", "artifactregistry.tags.create", "artifactregistry.tags.update"];
const SHOW_ACCOUNTS = ["iam.serviceAccounts.get", "iam.serviceAccounts.list"];
const BUILD = ["cloudbuild.builds.*", "cloudbuild.operations.*", "cloudbuild.locations.*"];
/** No basic role, not even owner, includes acting as an account. */
const IMPERSONATE = [
  "iam.serviceAccounts.getAccessToken",
  "iam.serviceAccounts.getOpenIdToken",
  "iam.serviceAccounts.implicitDelegation",
  "iam.serviceAccounts.signBlob",
  "iam.serviceAccounts.signJwt",
];

/**
 * The predefined roles that the emulator knows, with their permissions on the emulated APIs. Owners, editors and Cloud Run Admins can
 * invoke services; only owners and Cloud Run Admins can change who can: https://cloud.google.com/run/docs/securing/managing-access and
 * https://cloud.google.com/iam/docs/roles-permissions
 */
export const ROLES: Readonly<Record<string, Role>> = {
  "roles/owner": { title: "Owner", permissions: ["*"], except: IMPERSONATE },
  "roles/editor": {
    title: "Editor",
    permissions: ["*"],
    except: [
      ...IMPERSONATE,
      "*.setIamPolicy",
      "secretmanager.versions.access",
      "iam.roles.create",
      "iam.roles.update",
      "iam.roles.delete",
      "resourcemanager.projects.delete",
    ],
  },
  "roles/viewer": {
    title: "Viewer",
    permissions: ["*.get", "*.list", "*.getIamPolicy", "artifactregistry.repositories.downloadArtifacts"],
    except: ["storage.objects.*"],
  },
  "roles/browser": {
    title: "Browser",
    permissions: [
      "resourcemanager.projects.get",
      "resourcemanager.projects.getIamPolicy",
      "resourcemanager.projects.list",
      "resourcemanager.folders.*",
      "resourcemanager.organizations.get",
    ],
  },
  "roles/resourcemanager.projectIamAdmin": {
    title: "Project IAM Admin",
    permissions: ["resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy", "resourcemanager.projects.setIamPolicy"],
  },

  "roles/run.admin": { title: "Cloud Run Admin", permissions: ["run.*", ...PROJECT] },
  "roles/run.developer": { title: "Cloud Run Developer", permissions: [...SHOW_RUN, ...CHANGE_RUN, ...PROJECT] },
  "roles/run.viewer": { title: "Cloud Run Viewer", permissions: [...SHOW_RUN, ...PROJECT] },
  "roles/run.invoker": { title: "Cloud Run Invoker", permissions: ["run.routes.invoke", "run.jobs.run"] },
  "roles/run.servicesInvoker": { title: "Cloud Run Service Invoker", permissions: ["run.routes.invoke"] },
  "roles/run.sourceDeveloper": {
    title: "Cloud Run Source Developer",
    permissions: [
      ...SHOW_RUN,
      ...CHANGE_RUN,
      ...BUILD,
      ...PULL,
      "artifactregistry.repositories.create",
      "artifactregistry.repositories.deleteArtifacts",
      "storage.buckets.create",
      "storage.buckets.get",
      "storage.buckets.list",
      "storage.objects.*",
      "serviceusage.services.get",
      "serviceusage.services.list",
      ...PROJECT,
    ],
  },
  "roles/run.builder": {
    title: "Cloud Run Builder",
    permissions: [
      "artifactregistry.repositories.deleteArtifacts",
      "artifactregistry.repositories.downloadArtifacts",
      "artifactregistry.repositories.uploadArtifacts",
      "logging.logEntries.create",
      "source.repos.get",
      "storage.objects.get",
    ],
  },

  "roles/iap.httpsResourceAccessor": { title: "IAP-secured Web App User", permissions: ["iap.webServiceVersions.accessViaIAP"] },

  "roles/iam.serviceAccountUser": {
    title: "Service Account User",
    permissions: ["iam.serviceAccounts.actAs", ...SHOW_ACCOUNTS, ...PROJECT],
  },
  "roles/iam.serviceAccountTokenCreator": {
    title: "Service Account Token Creator",
    permissions: [...IMPERSONATE, ...SHOW_ACCOUNTS, ...PROJECT],
  },
  "roles/iam.serviceAccountOpenIdTokenCreator": {
    title: "Service Account OpenID Connect Identity Token Creator",
    permissions: ["iam.serviceAccounts.getOpenIdToken"],
  },
  "roles/iam.serviceAccountAdmin": {
    title: "Service Account Admin",
    permissions: ["create", "delete", "disable", "enable", "getIamPolicy", "setIamPolicy", "undelete", "update"]
      .map((verb) => `iam.serviceAccounts.${verb}`)
      .concat(SHOW_ACCOUNTS, PROJECT),
  },
  "roles/iam.serviceAccountKeyAdmin": {
    title: "Service Account Key Admin",
    permissions: ["iam.serviceAccountKeys.*", ...SHOW_ACCOUNTS, ...PROJECT],
  },
  "roles/iam.serviceAccountViewer": {
    title: "View Service Accounts",
    permissions: [
      ...SHOW_ACCOUNTS,
      "iam.serviceAccounts.getIamPolicy",
      "iam.serviceAccountKeys.get",
      "iam.serviceAccountKeys.list",
      ...PROJECT,
    ],
  },
  "roles/iam.workloadIdentityUser": {
    title: "Workload Identity User",
    permissions: ["iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken", ...SHOW_ACCOUNTS],
  },
  "roles/iam.workloadIdentityPoolAdmin": {
    title: "IAM Workload Identity Pool Admin",
    permissions: ["iam.workloadIdentityPools.*", "iam.workloadIdentityPoolProviders.*", ...PROJECT],
  },
  "roles/iam.workloadIdentityPoolViewer": {
    title: "IAM Workload Identity Pool Viewer",
    permissions: ["get", "list"]
      .flatMap((verb) => [`iam.workloadIdentityPools.${verb}`, `iam.workloadIdentityPoolProviders.${verb}`])
      .concat(PROJECT),
  },
  "roles/iam.securityReviewer": { title: "Security Reviewer", permissions: ["*.list", "*.getIamPolicy"] },
  "roles/iam.roleViewer": { title: "Role Viewer", permissions: [...SHOW_ROLES, ...PROJECT] },

  "roles/cloudbuild.builds.editor": { title: "Cloud Build Editor", permissions: [...BUILD, ...PROJECT] },
  "roles/cloudbuild.builds.viewer": {
    title: "Cloud Build Viewer",
    permissions: ["cloudbuild.builds.get", "cloudbuild.builds.list", "cloudbuild.operations.*", "cloudbuild.locations.*", ...PROJECT],
  },
  "roles/cloudbuild.builds.builder": {
    title: "Cloud Build Service Account",
    permissions: [
      ...BUILD,
      ...PULL,
      ...PUSH,
      "artifactregistry.repositories.create",
      "logging.logEntries.create",
      "logging.logEntries.list",
      "storage.buckets.create",
      "storage.buckets.get",
      "storage.buckets.list",
      "storage.objects.*",
      ...PROJECT,
    ],
  },

  "roles/storage.admin": { title: "Storage Admin", permissions: ["storage.*", ...PROJECT] },
  "roles/storage.objectAdmin": { title: "Storage Object Admin", permissions: ["storage.objects.*", ...PROJECT] },
  "roles/storage.objectCreator": { title: "Storage Object Creator", permissions: ["storage.objects.create", ...PROJECT] },
  "roles/storage.objectViewer": {
    title: "Storage Object Viewer",
    permissions: ["storage.objects.get", "storage.objects.list", ...PROJECT],
  },
  "roles/artifactregistry.admin": { title: "Artifact Registry Administrator", permissions: ["artifactregistry.*"] },
  "roles/artifactregistry.writer": { title: "Artifact Registry Writer", permissions: [...PULL, ...PUSH] },
  "roles/artifactregistry.reader": { title: "Artifact Registry Reader", permissions: PULL },

  "roles/logging.viewer": {
    title: "Logs Viewer",
    permissions: ["logging.*.get", "logging.*.list", "resourcemanager.projects.get"],
    except: ["logging.privateLogEntries.*"],
  },
  "roles/logging.logWriter": { title: "Logs Writer", permissions: ["logging.logEntries.create", "logging.logEntries.route"] },
  "roles/serviceusage.serviceUsageConsumer": {
    title: "Service Usage Consumer",
    permissions: ["serviceusage.services.get", "serviceusage.services.list", "serviceusage.services.use", "serviceusage.quotas.get"],
  },
  "roles/serviceusage.serviceUsageAdmin": { title: "Service Usage Admin", permissions: ["serviceusage.*"] },
  "roles/secretmanager.admin": { title: "Secret Manager Admin", permissions: ["secretmanager.*", ...PROJECT] },
  "roles/secretmanager.secretAccessor": {
    title: "Secret Manager Secret Accessor",
    permissions: ["secretmanager.versions.access", ...PROJECT],
  },
  "roles/secretmanager.secretVersionAdder": {
    title: "Secret Manager Secret Version Adder",
    permissions: ["secretmanager.versions.add", ...PROJECT],
  },
  "roles/secretmanager.secretVersionManager": {
    title: "Secret Manager Secret Version Manager",
    permissions: ["add", "destroy", "disable", "enable", "get", "list"]
      .map((verb) => `secretmanager.versions.${verb}`)
      .concat("secretmanager.secrets.get", "secretmanager.secrets.list", PROJECT),
  },
  "roles/secretmanager.viewer": {
    title: "Secret Manager Viewer",
    permissions: ["get", "list", "getIamPolicy"]
      .map((verb) => `secretmanager.secrets.${verb}`)
      .concat("secretmanager.versions.get", "secretmanager.versions.list", "secretmanager.locations.*", PROJECT),
  },
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
    !role.except?.some((pattern) => matchesPattern(permission, pattern))
  );
}

function matchesPattern(permission: string, pattern: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return permission === pattern;
  return (
    permission.length >= pattern.length - 1 && permission.startsWith(pattern.slice(0, star)) && permission.endsWith(pattern.slice(star + 1))
  );
}

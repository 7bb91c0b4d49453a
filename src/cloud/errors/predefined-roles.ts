import { INVOKER_ROLE } from "../permissions.ts";

/** By the prefix of a permission; the first match counts: https://cloud.google.com/iam/docs/roles-permissions */
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

export function findRole(permission: string): string | undefined {
  const name = permission.toLowerCase();
  return ROLES.find(([prefix]) => name.startsWith(prefix))?.[1];
}

import { expect, test } from "vitest";
import { roleGrants } from "../../../src/emulator/iam/roles.ts";

const PERMISSIONS = [
  "run.routes.invoke",
  "run.services.get",
  "run.services.create",
  "run.services.setIamPolicy",
  "iam.serviceAccounts.actAs",
  "iam.serviceAccounts.getOpenIdToken",
  "iam.serviceAccountKeys.create",
  "storage.objects.create",
  "cloudbuild.builds.create",
];

const allBut = (...excluded: string[]) => PERMISSIONS.filter((permission) => !excluded.includes(permission));

test.for([
  ["roles/owner", allBut("iam.serviceAccounts.getOpenIdToken")],
  ["roles/editor", allBut("iam.serviceAccounts.getOpenIdToken", "run.services.setIamPolicy")],
  ["roles/viewer", ["run.services.get"]],
  ["roles/browser", []],
  ["roles/run.admin", ["run.routes.invoke", "run.services.get", "run.services.create", "run.services.setIamPolicy"]],
  ["roles/run.developer", ["run.services.get", "run.services.create"]],
  ["roles/run.viewer", ["run.services.get"]],
  ["roles/run.invoker", ["run.routes.invoke"]],
  ["roles/iam.serviceAccountUser", ["iam.serviceAccounts.actAs"]],
  ["roles/iam.serviceAccountTokenCreator", ["iam.serviceAccounts.getOpenIdToken"]],
  ["roles/iam.serviceAccountOpenIdTokenCreator", ["iam.serviceAccounts.getOpenIdToken"]],
  ["roles/iam.serviceAccountKeyAdmin", ["iam.serviceAccountKeys.create"]],
  ["roles/storage.admin", ["storage.objects.create"]],
  ["roles/cloudbuild.builds.editor", ["cloudbuild.builds.create"]],
  ["roles/cloudbuild.builds.builder", ["storage.objects.create", "cloudbuild.builds.create"]],
  ["roles/unheard.of", []],
  ["toString", []],
] as const)("%s grants %j", ([role, granted]) => {
  expect(PERMISSIONS.filter((permission) => roleGrants(role, permission))).toEqual(granted);
});

test("a pattern matches whole words only", () => {
  expect(roleGrants("roles/run.admin", "runapps.services.get")).toBe(false);
  expect(roleGrants("roles/viewer", "run.services.budget")).toBe(false);
  expect(roleGrants("roles/logging.viewer", "logging.privateLogEntries.list")).toBe(false);
});

import { accessChecks } from "./access.ts";
import { accountChecks } from "./accounts.ts";
import type { Group } from "./check.ts";
import { credentialChecks } from "./credentials.ts";
import { createGcloudChecks } from "./gcloud.ts";
import { imageChecks } from "./images.ts";
import { keyFileChecks } from "./key-files.ts";
import { machineChecks } from "./machine.ts";
import { networkChecks } from "./network.ts";
import { organisationChecks } from "./organization.ts";
import { createPermissionChecks } from "./permissions.ts";
import { projectChecks } from "./project.ts";
import { serviceChecks } from "./service.ts";

/** All checks, in the order in which they are told: what comes first is the reason for what comes later. docs/doctor.md describes each. */
export const GROUPS: readonly Group[] = [
  { title: "This machine", checks: machineChecks },
  { title: "Network", checks: networkChecks },
  { title: "gcloud", checks: createGcloudChecks() },
  { title: "Credentials", checks: [...credentialChecks, ...keyFileChecks] },
  { title: "Project", checks: projectChecks },
  { title: "Permissions", checks: createPermissionChecks() },
  { title: "Accounts and images", checks: [...accountChecks, ...imageChecks] },
  { title: "Organisation", checks: organisationChecks },
  { title: "Service", checks: [...serviceChecks, ...accessChecks] },
];

export const CHECK_NAMES: readonly string[] = GROUPS.flatMap(({ checks }) => checks.map(({ name }) => name));

import { accessChecks } from "./access.ts";
import { accountChecks } from "./accounts.ts";
import type { CheckGroup } from "./check.ts";
import { credentialChecks } from "./credentials.ts";
import { gcloudChecks } from "./gcloud.ts";
import { imageChecks } from "./images.ts";
import { keyFileChecks } from "./key-files.ts";
import { machineChecks } from "./machine.ts";
import { networkChecks } from "./network.ts";
import { organizationChecks } from "./organization.ts";
import { permissionChecks } from "./permissions.ts";
import { projectChecks } from "./project.ts";
import { serviceChecks } from "./service.ts";

/** All checks, in the order in which they are printed: causes come before their effects. docs/troubleshoot.md describes each check. */
export const CHECK_GROUPS: readonly CheckGroup[] = [
  { title: "This machine", checks: machineChecks },
  { title: "Network", checks: networkChecks },
  { title: "gcloud", checks: gcloudChecks },
  { title: "Credentials", checks: [...credentialChecks, ...keyFileChecks] },
  { title: "Project", checks: projectChecks },
  { title: "Permissions", checks: permissionChecks },
  { title: "Accounts and images", checks: [...accountChecks, ...imageChecks] },
  { title: "Organization", checks: organizationChecks },
  { title: "Service", checks: [...serviceChecks, ...accessChecks] },
];

export const CHECK_NAMES: readonly string[] = CHECK_GROUPS.flatMap(({ checks }) => checks.map(({ name }) => name));

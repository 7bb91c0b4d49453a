import { principalForEmail } from "../auth/principal.ts";
import { CliError } from "../errors/cli-error.ts";
import { nextStep } from "../errors/next-step.ts";
import type { GrantOptions } from "./cloud.ts";

const TYPES = [
  "user",
  "serviceAccount",
  "group",
  "domain",
  "principal",
  "principalSet",
  "deleted",
  "projectOwner",
  "projectEditor",
  "projectViewer",
];
const PUBLIC = ["allUsers", "allAuthenticatedUsers"];

/** Adds the prefix that an email address needs. Throws USAGE. https://cloud.google.com/iam/docs/principal-identifiers */
export function readMember(text: string): string {
  if (PUBLIC.includes(text)) return text;
  const [type = ""] = text.split(":");
  if (TYPES.includes(type) && text.length > type.length + 1) return text;
  if (/^[^\s:@]+@[^\s:@]+\.[^\s:@]+$/.test(text)) return principalForEmail(text);
  throw new CliError("USAGE", `Invalid member "${text}".`, {
    hint: "Use an email address, or a prefix such as user:, serviceAccount:, group:, or domain:.",
  });
}

export function roleNotGranted({ service, member, role }: GrantOptions, cause?: unknown): CliError {
  return new CliError("NOT_FOUND", `${member} doesn't have ${role} on "${service}".`, {
    next: [nextStep("To list members", "members", service, "--all")],
    cause,
    subject: { kind: "role", name: role },
    details: { service, member, role },
  });
}

import { CliError } from "../errors.ts";

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
const EVERYBODY = ["allUsers", "allAuthenticatedUsers"];

/**
 * A member as a policy has it: a bare e-mail address gets the prefix that it lacks. Throws USAGE where it can be none.
 * https://cloud.google.com/iam/docs/principal-identifiers
 */
export function readMember(text: string): string {
  if (EVERYBODY.includes(text)) return text;
  const [type = ""] = text.split(":");
  if (TYPES.includes(type) && text.length > type.length + 1) return text;
  if (/^[^\s:@]+@[^\s:@]+\.[^\s:@]+$/.test(text)) return text.endsWith(".gserviceaccount.com") ? `serviceAccount:${text}` : `user:${text}`;
  throw new CliError("USAGE", `"${text}" is no member.`, {
    hint: "Say an e-mail address, user:…, serviceAccount:…, group:…, domain:…, principal:…, allAuthenticatedUsers or allUsers.",
  });
}

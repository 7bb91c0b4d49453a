import { CliError } from "../errors/cli-error.ts";
import { readClaims } from "./jwt.ts";

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
  if (/^[^\s:@]+@[^\s:@]+\.[^\s:@]+$/.test(text)) return memberForEmail(text);
  throw new CliError("USAGE", `Invalid member "${text}".`, {
    hint: "Use an email address, or a prefix such as user:, serviceAccount:, group:, or domain:.",
  });
}

/** An account as policies name it: `serviceAccount:…` or `user:…`. */
export function memberForEmail(email: string): string {
  return `${email.endsWith(".gserviceaccount.com") ? "serviceAccount" : "user"}:${email}`;
}

/** The principal of a token, by its email claim; the token isn't verified. */
export function principalOfToken(token: string): string | undefined {
  const { email } = readClaims(token) ?? {};
  return typeof email === "string" ? memberForEmail(email) : undefined;
}

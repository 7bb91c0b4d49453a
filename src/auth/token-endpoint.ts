import type { CliError } from "../errors.ts";
import { isLoopback } from "../request/route.ts";
import { invalidCredentials, type ServiceAccountKey } from "./service-account-key.ts";

/** Google's token endpoint goes by several names. */
const GOOGLES = new Set(["oauth2.googleapis.com", "www.googleapis.com", "accounts.google.com"]);

const VARIABLE = "CLOUDRUN_OAUTH_ALLOW_TOKEN_URI";

/**
 * The URL that an assertion may be sent to. A key file that somebody planted could name any host, which would then hold an assertion
 * of this account: other hosts than Google's and this machine's have to be allowed by CLOUDRUN_OAUTH_ALLOW_TOKEN_URI (hosts, separated by commas).
 * Throws CliError CREDENTIALS_INVALID.
 */
export function tokenEndpoint({ token_uri }: ServiceAccountKey, env: Readonly<Record<string, string | undefined>>): URL {
  const url = new URL(token_uri);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isHttp = url.protocol === "http:" || url.protocol === "https:";
  if (isHttp && isLoopback(host)) return url;
  if (url.protocol !== "https:") throw refused(url, "is not an https URL", "Google's is https://oauth2.googleapis.com/token");
  const allowed = (env[VARIABLE] ?? "").toLowerCase().split(/[\s,]+/);
  if ((GOOGLES.has(host) && url.port === "") || allowed.includes(host) || allowed.includes(url.host)) return url;
  throw refused(url, "is not Google's token endpoint", `Where that is meant to be so: ${VARIABLE}=${url.host}`);
}

function refused({ host }: URL, fault: string, hint: string): CliError {
  return invalidCredentials("The key file", `names a token_uri at ${host || "no host"}, which ${fault}`, hint);
}

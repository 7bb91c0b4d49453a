import type { CliError } from "../errors/cli-error.ts";
import { isLoopback } from "../http/route.ts";
import { invalidCredentials } from "./service-account-key.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Google's token endpoint has several host names. */
const TOKEN_ENDPOINT_HOSTS = /^(?:oauth2\.googleapis\.com|www\.googleapis\.com|accounts\.google\.com)$/;

const ALLOW_VARIABLE = "CLOUDRUN_OAUTH_ALLOW_TOKEN_URI";

/** The hosts that a credential file's URL can name without being allowed explicitly. */
interface AllowedHosts {
  /** The name of the file's field. */
  readonly field: string;
  /** Begins the sentence of an error: "Key file /path". */
  readonly subject: string;
  readonly hosts: RegExp;
  /** The field's usual value. */
  readonly usual?: string;
  /** True if plain HTTP to these hosts stays within the machine, as to a metadata server. */
  readonly isLocal?: boolean;
  readonly env: Environment;
}

/**
 * The URL to send an assertion to. A malicious key file could name any host, which would then receive an assertion of the account: other
 * hosts than Google's and localhost must be allowed in CLOUDRUN_OAUTH_ALLOW_TOKEN_URI (hosts, separated by commas).
 * Throws CliError CREDENTIALS_INVALID.
 */
export function parseTokenUri({ token_uri }: { readonly token_uri: string }, env: Environment, subject = "The key file"): URL {
  const url = new URL(token_uri);
  assertGoogleHost(url, { field: "token_uri", subject, hosts: TOKEN_ENDPOINT_HOSTS, usual: "https://oauth2.googleapis.com/token", env });
  return url;
}

/** Throws CliError CREDENTIALS_INVALID if a credential file's URL, which sends or receives a secret, isn't at an allowed host. */
export function assertGoogleHost(url: URL, { field, subject, hosts, usual, isLocal = false, env }: AllowedHosts): void {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isHttp = url.protocol === "http:" || url.protocol === "https:";
  if (isHttp && (isLoopback(host) || (isLocal && hosts.test(host)))) return;
  const refused = (fault: string, hint: string): CliError =>
    invalidCredentials(subject, `has a ${field} that ${fault}: ${url.host || "no host"}`, hint);
  if (url.protocol !== "https:") throw refused("isn't an https URL", usual ? `Google's is ${usual}.` : "Use an https URL.");
  const allowed = (env[ALLOW_VARIABLE] ?? "").toLowerCase().split(/[\s,]+/);
  if ((hosts.test(host) && url.port === "") || allowed.includes(host) || allowed.includes(url.host)) return;
  throw refused(
    `isn't Google's${field === "token_uri" ? " token endpoint" : ""}`,
    `To allow this host, set ${ALLOW_VARIABLE}=${url.host}.`,
  );
}

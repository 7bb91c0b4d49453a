import { cwd } from "node:process";
import type { Credentials } from "../auth/credentials.ts";
import type { AuthContext } from "../auth/auth-context.ts";
import { CliError } from "../errors/cli-error.ts";
import { nextStep } from "../errors/next-step.ts";
import { bareHost, isLoopback } from "../http/route.ts";

/** A service by name. Project and region default to the command line's: environment, `cloudrun-oauth.json`, gcloud's configuration. */
export interface ServiceByName {
  readonly service: string;
  readonly project?: string;
  readonly region?: string;
}

/** Parses the URL of a service. Throws CliError USAGE if a token must not be sent to it. */
export function parseServiceUrl(url: string | URL): URL {
  const parsed = URL.canParse(String(url)) ? new URL(url) : undefined;
  if (parsed?.protocol === "https:" && !parsed.username && !parsed.password) return parsed;
  if (parsed?.protocol === "http:" && isLoopback(bareHost(parsed.hostname))) return parsed;
  // Not quoted: it can contain a password.
  throw new CliError("USAGE", "Invalid service URL: expected an https URL without a username or password.", {
    next: [nextStep("To get the URL", "describe", "--url")],
  });
}

/**
 * Asks Cloud Run for the URL of a service, which requires the permission run.services.get. Throws CliError: USAGE or SETTINGS_INVALID if
 * project or region aren't known, NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE, TIMEOUT, and as credentials do.
 */
export async function findServiceUrl(
  { service, project, region }: ServiceByName,
  credentials: Credentials,
  { send, env }: AuthContext,
): Promise<URL> {
  const [{ openSettings }, { serviceUrl }, { readApiError }] = await Promise.all([
    import("../settings/settings.ts"),
    import("../cloud/messages/knative-url.ts"),
    import("../cloud/api/errors.ts"),
  ]);
  const settings = openSettings({ flags: { service, project, region }, env, cwd: cwd() });
  const place = { project: settings.require("project"), region: settings.require("region") };
  const apiUrl = new URL(serviceUrl({ ...place, service }));
  const { token } = await credentials.fetchAccessToken();
  const response = await send({ method: "GET", url: apiUrl.href, headers: [["Authorization", `Bearer ${token}`]], timeoutMs: 30_000 });
  const text = await response.text();
  const account = credentials.principal?.replace(/^.*?:/, "");
  if (response.status >= 400) throw readApiError(response.status, text, apiUrl.host, { ...place, account });
  const { status } = JSON.parse(text) as { readonly status?: { readonly url?: string } };
  if (status?.url) return parseServiceUrl(status.url);
  throw new CliError("NOT_FOUND", `Service "${service}" has no URL yet.`, { next: [nextStep("To see its status", "describe", service)] });
}

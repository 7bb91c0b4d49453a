import { audienceFor } from "../auth/audience.ts";
import type { Cloud } from "../cloud/cloud.ts";
import { CliError } from "../errors/cli-error.ts";
import { isLoopback } from "../http/route.ts";
import type { Settings } from "../settings/settings.ts";

/** What finding a service needs of a command's context. */
interface TargetContext {
  readonly settings: Settings;
  cloud(): Promise<Pick<Cloud, "describe">>;
}

/**
 * The URLs to call. A target is an absolute URL or a path of the service, which is looked up once; the default is the service's own URL.
 * Throws CliError USAGE, or as `resolveServiceUrl` does.
 */
export async function findTargets(context: TargetContext, targets: readonly string[], service?: string): Promise<readonly URL[]> {
  const urls: URL[] = [];
  let base: URL | undefined;
  for (const target of targets.length > 0 ? targets : [""]) {
    urls.push(
      isAbsoluteUrl(target) ? parseAbsoluteUrl(target, context) : joinPath((base ??= await resolveServiceUrl(context, service)), target),
    );
  }
  return urls;
}

export function isAbsoluteUrl(target: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(target);
}

function parseAbsoluteUrl(target: string, { settings }: TargetContext): URL {
  const url = parse(target);
  const named = settings.get("url");
  if (named?.source === "--url" && audienceFor(parse(named.value)) !== audienceFor(url)) {
    throw new CliError("USAGE", "The path is a whole URL, and --url names another service.", { hint: "Say one of them." });
  }
  return url;
}

/**
 * The service's URL: Cloud Run's for the named service, else the URL in the settings, else Cloud Run's for the service in the settings.
 * Throws CliError USAGE if none of these is set, or if they contradict each other.
 */
export async function resolveServiceUrl({ settings, cloud }: TargetContext, name?: string): Promise<URL> {
  if (name !== undefined && settings.flag("url") !== undefined)
    throw new CliError("USAGE", "The service is named, and --url says another.", { hint: "Say one of them." });
  const named = name === undefined ? settings.get("url") : undefined;
  if (named) return parse(named.value);
  const service = name === undefined ? settings.get("service")?.value : settings.require("service", name);
  if (service === undefined) {
    throw new CliError("USAGE", "Which service?", { hint: "Say --url URL or --service NAME, or set CLOUD_RUN_SERVICE_URL." });
  }
  const place = { project: settings.require("project"), region: settings.require("region") };
  return parse((await (await cloud()).describe({ ...place, service })).url);
}

/** The path as it was typed, below the path of the service's URL. */
function joinPath(base: URL, target: string): URL {
  if (target === "") return base;
  const path = target.startsWith("?") || target.startsWith("#") ? `/${target}` : target.replace(/^\/*/, "/");
  return parse(`${base.origin}${base.pathname.replace(/\/$/, "")}${path}`);
}

function parse(text: string): URL {
  if (!URL.canParse(text)) throw new CliError("USAGE", `"${text}" is no URL.`);
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new CliError("USAGE", `"${url.protocol}//" is not called by this tool: a service has an https URL.`);
  if (url.username || url.password)
    throw new CliError("USAGE", "A user or a password in the URL means nothing to Cloud Run.", {
      hint: "Send it as a header: -H 'Authorization: Basic …'",
    });
  if (url.protocol === "http:" && !isLoopback(url.hostname.replace(/^\[|\]$/g, ""))) {
    throw new CliError("USAGE", `The ID token would travel to ${url.host} unencrypted.`, { hint: `Say https://${url.host}` });
  }
  return url;
}

import { audienceFor } from "../auth/audience.ts";
import type { Cloud } from "../cloud/cloud.ts";
import { CliError } from "../errors/cli-error.ts";
import { bareHost, isLoopback } from "../http/route.ts";
import type { Settings } from "../settings/settings.ts";

/** What finding a service needs of a command's context. */
interface TargetContext {
  readonly settings: Settings;
  cloud(): Promise<Pick<Cloud, "describe">>;
}

/** What the positional arguments of a command name: at most one service, and paths or URLs. */
interface Targets {
  readonly service: string | undefined;
  readonly paths: readonly string[];
}

/** Reads positional arguments: `/…` is a path, `https://…` a URL, anything else the service's name. Throws CliError USAGE. */
export function parseTargets(words: readonly string[]): Targets {
  const [service, second] = words.filter((word) => !isPath(word));
  if (second !== undefined)
    throw new CliError("USAGE", `Expected one service, but got "${service}" and "${second}".`, { hint: 'A path starts with "/".' });
  if (service !== undefined && /[./:?#]/.test(service))
    throw new CliError("USAGE", `Invalid target "${service}".`, {
      hint: 'Use a service name, a path that starts with "/", or a URL that starts with "https://".',
    });
  return { service, paths: words.filter(isPath) };
}

function isPath(word: string): boolean {
  return /^(?:[/?#]|$)/.test(word) || isAbsoluteUrl(word);
}

function isAbsoluteUrl(target: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(target);
}

/**
 * The URLs that positional arguments name, at least one; by default the URL of the service in the settings. The service is looked up once.
 * Throws CliError USAGE if they contradict `--url`, or if no service is known.
 */
export async function findTargetUrls(context: TargetContext, words: readonly string[]): Promise<readonly [URL, ...URL[]]> {
  const { service, paths } = parseTargets(words);
  let base: URL | undefined;
  const find = async (target: string): Promise<URL> => {
    if (!isAbsoluteUrl(target)) return joinPath((base ??= await findServiceUrl(context, service)), target);
    const url = parseUrl(target);
    const flag = context.settings.flag("url");
    if (service !== undefined || (flag !== undefined && audienceFor(parseUrl(flag)) !== audienceFor(url)))
      throw contradiction(service === undefined ? `--url ${flag}` : `"${service}"`, url.origin);
    return url;
  };
  const [first = "", ...others] = paths;
  const urls: [URL, ...URL[]] = [await find(first)];
  for (const target of others) urls.push(await find(target));
  return urls;
}

/** Cloud Run's URL of the named service, else the URL in the settings, else Cloud Run's for the service in the settings. */
async function findServiceUrl({ settings, cloud }: TargetContext, name: string | undefined): Promise<URL> {
  const flag = settings.flag("url");
  if (name !== undefined && flag !== undefined) throw contradiction(`"${name}"`, `--url ${flag}`);
  const url = name === undefined ? settings.get("url") : undefined;
  if (url) return parseUrl(url.value);
  const service = name === undefined ? settings.get("service")?.value : settings.require("service", name);
  if (service === undefined)
    throw new CliError("USAGE", "No service specified.", { hint: "Pass the service's name or its URL, or set CLOUD_RUN_SERVICE_URL." });
  const place = { project: settings.require("project"), region: settings.require("region") };
  return parseUrl((await (await cloud()).describe({ ...place, service })).url);
}

function contradiction(one: string, other: string): CliError {
  return new CliError("USAGE", `${one} and ${other} name different services.`, { hint: "Pass one of them." });
}

/** The path as it was typed, below the path of the service's URL. */
function joinPath(base: URL, target: string): URL {
  if (target === "") return base;
  const path = target.startsWith("?") || target.startsWith("#") ? `/${target}` : target.replace(/^\/*/, "/");
  return parseUrl(`${base.origin}${base.pathname.replace(/\/$/, "")}${path}`);
}

function parseUrl(text: string): URL {
  if (!URL.canParse(text)) throw new CliError("USAGE", `Invalid URL "${text}".`);
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new CliError("USAGE", `Invalid URL: expected https://, not ${url.protocol}//.`);
  if (url.username || url.password)
    throw new CliError("USAGE", "The URL contains a username or password, which Cloud Run ignores.", {
      hint: "To send basic authentication to the service, pass -H 'Authorization: Basic …'.",
    });
  if (url.protocol === "http:" && !isLoopback(bareHost(url.hostname)))
    throw new CliError("USAGE", `http://${url.host} would receive the ID token unencrypted.`, { hint: `Use https://${url.host}.` });
  return url;
}

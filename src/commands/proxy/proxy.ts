import { once } from "node:events";
import { hostname } from "node:os";
import { audienceFor, isServiceHost } from "../../auth/audience.ts";
import { findCredentials } from "../../auth/find-credentials.ts";
import { withCache, type CacheOptions } from "../../auth/token-cache.ts";
import { chooseAudience, loginAudienceWarning, type AudienceOptions } from "../../invoke/audience.ts";
import { findTargetUrls } from "../../invoke/target-url.ts";
import { createEvidenceLookup } from "../../invoke/refusal/evidence-lookup.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { STATUS_PATH } from "./local-pages.ts";
import { openProxy } from "./open-proxy.ts";
import { bareHost, isLoopback } from "../../http/route.ts";

interface ProxyOptions extends Pick<CacheOptions, "cache">, AudienceOptions {
  readonly port?: number;
  readonly host: string;
  readonly tag?: string;
  readonly allowRemote?: boolean;
  readonly allowOrigin?: readonly string[];
}

/** As `gcloud run services proxy` does. */
const DEFAULT_PORT = 8080;
/** How long requests in progress have to finish when the proxy ends. */
const SHUTDOWN_TIMEOUT_MS = 5000;

/** Forwards requests from a local port to the service with an ID token until the signal ends it. Throws as the credentials do, and PROXY_FAILED. */
export async function proxy(context: Context, service: string | undefined, options: ProxyOptions): Promise<void> {
  const { terminal, settings, signal, env } = context;
  const { port = DEFAULT_PORT, allowOrigin: origins = [] } = options;
  const host = bareHost(options.host);
  if (!isLoopback(host) && !options.allowRemote)
    throw new CliError("USAGE", `Listening on ${host} lets other machines call the service with your credentials.`, {
      hint: "To allow this on a trusted network, pass --allow-remote.",
    });
  const credentials = withCache(await findCredentials(settings.get("credentials"), context), context, { ...options, isLongRun: true });
  const url = await findService(context, service, options.tag);
  const audience = credentials.audience ?? (await chooseAudience(url, options, context));
  const warning = loginAudienceWarning(credentials, options);
  if (warning) terminal.warn(warning);
  terminal.debug(`credential: ${credentials.description}`);
  if (context.dryRun) {
    const { principal = null, tokenRequest } = credentials;
    return terminal.printJson({ host, port, service: url.origin, audience, principal, token_request: tokenRequest });
  }

  const opened = await openProxy({
    host,
    port,
    service: url,
    audience,
    credentials,
    secondTokenHeader: options.iap === undefined ? "X-Serverless-Authorization" : "Proxy-Authorization",
    origins,
    machine: hostname(),
    env,
    signal,
    lookUpEvidence: createEvidenceLookup(context),
    ...(!terminal.quiet && { log: terminal.note }),
    report: (error) => reportProblem(terminal, error),
  });
  const { principal } = opened;
  if (terminal.json) terminal.printJson({ url: opened.url, service: url.origin, audience, principal: principal ?? null });
  else terminal.print(`${opened.url}\n`);
  terminal.note(`Forwarding to ${url.origin}${principal ? ` as ${principal}` : ""}`);
  terminal.note(`Status page: ${opened.url}${STATUS_PATH}`);
  terminal.note("Press Ctrl-C to stop.");
  if (!signal.aborted) await once(signal, "abort");
  const active = opened.active();
  if (active > 0) terminal.note(`Waiting up to ${SHUTDOWN_TIMEOUT_MS / 1000} s for ${active} request${active === 1 ? "" : "s"} to finish.`);
  await opened.close(SHUTDOWN_TIMEOUT_MS);
}

/** Prints an error that doesn't end the proxy. */
function reportProblem(terminal: Context["terminal"], { code, message, hint, next }: CliError): void {
  terminal.warn(`${message} [${code}]`);
  if (hint !== undefined) terminal.note(`  ${hint}`);
  for (const { text, program, command } of next) {
    // The advice is for a single request: here, the proxy is what starts again.
    const [name = "", ...rest] = command;
    const restarted = program === undefined && name === "invoke" ? ["proxy", ...rest] : command;
    terminal.note(`  ${text}:\n    ${terminal.formatCommand({ command: restarted, ...(program && { program }) })}`);
  }
}

/** The URL of the named or configured service, or of one of its tags. */
async function findService(context: Context, name: string | undefined, tag: string | undefined): Promise<URL> {
  const [url] = await findTargetUrls(context, name === undefined ? [] : [name]);
  if (url.pathname !== "/" || url.search)
    throw new CliError("USAGE", "A proxy's service URL can't have a path.", { hint: `Use --url ${url.origin}` });
  if (tag === undefined) return url;
  if (!isServiceHost(url.hostname))
    throw new CliError("USAGE", `--tag needs the service's run.app URL, not ${url.origin}.`, {
      hint: "Omit --tag, or pass the run.app URL with --url.",
    });
  if (!/^[a-z](?:[a-z0-9-]*[a-z0-9])?$/.test(tag))
    throw new CliError("USAGE", `Invalid traffic tag "${tag}".`, { hint: "Use lowercase letters, digits, and hyphens." });
  return new URL(audienceFor(url).replace("://", `://${tag}---`));
}

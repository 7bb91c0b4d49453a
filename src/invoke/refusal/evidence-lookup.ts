import { readServiceUrl } from "../../auth/audience.ts";
import { openGoogleKeys } from "../../auth/google-public-keys.ts";
import { decodeJwt, isSignedWith } from "../../auth/jwt.ts";
import type { CloudContext } from "../../cloud/cloud-context.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import type { ServiceName } from "../../cloud/names.ts";
import { openCloudForLookup } from "../../cloud/open-cloud.ts";
import { CliError } from "../../errors/cli-error.ts";
import { createSend } from "../../http/client.ts";
import type { Send } from "../../http/request.ts";
import { isLoopback } from "../../http/route.ts";
import type { Evidence, EvidenceLookup } from "./evidence.ts";

/** For all requests together: the refusal is explained without evidence, too. */
const LOOKUP_TIMEOUT_MS = 6000;

/**
 * Asks the control plane about a service that rejected a request, with the credentials that deploy it. Asks nothing if the URL isn't a
 * service's or the project isn't known. Prints nothing.
 */
export function createEvidenceLookup(context: CloudContext): EvidenceLookup {
  return async ({ url, token, member }, wanted) => {
    if (url.protocol !== "https:" || isLoopback(url.hostname)) return {};
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(LOOKUP_TIMEOUT_MS)]);
    const send = createSend({ env: context.env, signal, debug: context.terminal.debug });
    const lookup: CloudContext = { ...context, signal, send };
    const cloud = await orUndefined(openCloudForLookup(lookup), signal);
    const [service, isSigned, account] = await Promise.all([
      cloud ? lookUpService(cloud, possibleServices(lookup, url, cloud.via), url, { wantsPolicy: wanted.policy, signal }) : {},
      wanted.signer && token !== undefined ? orUndefined(isSignedByGoogle(token, send), signal) : undefined,
      wanted.signer && cloud ? lookUpAccount(cloud, member, signal) : undefined,
    ]);
    return { ...service, ...(isSigned !== undefined && { isSigned }), ...(account && { account }) };
  };
}

/** The services that the URL can mean: its own, or the one in the settings if the URL doesn't say; none if the project isn't known. */
function possibleServices({ settings }: CloudContext, url: URL, via: Cloud["via"]): ServiceName[] {
  const named = readServiceUrl(url);
  const service = named?.service ?? settings.get("service")?.value;
  const region = named?.region ?? settings.get("region")?.value;
  // The URL can be of another project than the one in the settings. The APIs accept a project's number, gcloud doesn't.
  const number = via === "api" ? /-(\d+)\.[a-z0-9-]+\.run\.app$/.exec(url.hostname)?.[1] : undefined;
  const projects = [settings.get("project")?.value, number].filter((project) => project !== undefined);
  return service === undefined || region === undefined ? [] : projects.map((project) => ({ service, region, project }));
}

async function lookUpService(
  cloud: Cloud,
  names: readonly ServiceName[],
  url: URL,
  { wantsPolicy, signal }: { readonly wantsPolicy: boolean; readonly signal: AbortSignal },
): Promise<Evidence> {
  let missing: ServiceName | undefined;
  for (const name of names) {
    const [service, policy] = await Promise.all([
      orError(cloud.describe(name), signal),
      wantsPolicy ? orUndefined(cloud.policy(name), signal) : undefined,
    ]);
    if (service instanceof CliError) {
      if (service.reason === "VPC_SERVICE_CONTROLS") return { isOutsidePerimeter: true };
      missing = service.code === "NOT_FOUND" && readServiceUrl(url) ? name : undefined;
      // A service of this name in another project isn't the one that was called.
    } else if (!readServiceUrl(url) || service.urls.some((known) => isSameService(known, url))) {
      return { service, ...(policy && { policy }) };
    }
  }
  return missing ? { missing } : {};
}

function isSameService(known: string, url: URL): boolean {
  return new URL(known).hostname === url.hostname.replace(/^.+?---/, "");
}

async function lookUpAccount(cloud: Cloud, member: string | undefined, signal: AbortSignal): Promise<Evidence["account"]> {
  const [, email, project] = /^serviceAccount:(.+@(.+)\.iam\.gserviceaccount\.com)$/.exec(member ?? "") ?? [];
  if (email === undefined || project === undefined) return undefined;
  const account = await orError(cloud.account({ project, account: email }), signal);
  if (account instanceof CliError) return account.code === "NOT_FOUND" ? "deleted" : undefined;
  return account.disabled ? "disabled" : undefined;
}

/** Throws CliError if the keys can't be fetched. */
async function isSignedByGoogle(token: string, send: Send): Promise<boolean> {
  const kid = decodeJwt(token)?.header["kid"];
  const key = typeof kid === "string" ? await openGoogleKeys(send)(kid) : undefined;
  return key !== undefined && isSignedWith(key, token);
}

/** The result, or the error that the control plane refused it with. Throws anything that is a bug. */
async function orError<T>(request: Promise<T>, signal: AbortSignal): Promise<T | CliError> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof CliError) return error;
    if (signal.aborted) return new CliError("TIMEOUT", "The lookup took too long.");
    throw error;
  }
}

async function orUndefined<T>(request: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const result = await orError(request, signal);
  return result instanceof CliError ? undefined : result;
}

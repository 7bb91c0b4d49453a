import { verify } from "node:crypto";
import { readServiceUrl } from "../../auth/audience.ts";
import { openGoogleKeys } from "../../auth/google-public-keys.ts";
import type { Evidence, EvidenceLookup } from "./refusal-error.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { createSend, type Send } from "../../http/client.ts";
import { isLoopback } from "../../http/route.ts";
import { chooseCloud } from "../../cloud/open-cloud.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import type { ServiceName } from "../../cloud/names.ts";

/** Milliseconds that looking for evidence may take in all: a refusal is told without it, too. */
const LOOKUP_TIMEOUT_MS = 6000;

/**
 * Asks the control plane about a service that refused a call, by whichever credentials deploy it. Nothing is asked where the URL is no service's
 * or no project is known; what may not be read is left out. A look never throws, prints nothing, and ends after a few seconds.
 */
export function createEvidenceLookup(context: Context): EvidenceLookup {
  return async ({ url, token, member }, wants) => {
    if (url.protocol !== "https:" || isLoopback(url.hostname)) return {};
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(LOOKUP_TIMEOUT_MS)]);
    const send = createSend({ env: context.env, signal, debug: context.terminal.debug });
    const within: Context = { ...context, signal, send };
    const cloud = await quietly(() => openFastestCloud(within));
    const [service, isSigned, account] = await Promise.all([
      cloud ? lookUpService(cloud, possibleServices(within, url, cloud.via), url, wants.policy) : {},
      wants.signer && token !== undefined ? quietly(() => isSignedByGoogle(token, send)) : undefined,
      wants.signer && cloud ? lookUpAccount(cloud, member) : undefined,
    ]);
    return { ...service, ...(isSigned !== undefined && { isSigned }), ...(account && { account }) };
  };
}

/** With a key at hand Google's APIs answer long before gcloud has started; without one, gcloud may be signed in. */
async function openFastestCloud(context: Context): Promise<Cloud> {
  if (!context.env.GOOGLE_APPLICATION_CREDENTIALS) return chooseCloud(context);
  const { createApiCloud } = await import("../../cloud/api/api.ts");
  return createApiCloud(context);
}

/** Which service it may be: the URL's own, or the one that is set where the URL does not say; none where the project is not known. */
function possibleServices({ settings }: Context, url: URL, via: Cloud["via"]): ServiceName[] {
  const named = readServiceUrl(url);
  const service = named?.service ?? settings.get("service")?.value;
  const region = named?.region ?? settings.get("region")?.value;
  // The project that is set need not be the URL's; the number in a URL names it for APIs, and gcloud does not take it.
  const number = via === "api" ? /-(\d+)\.[a-z0-9-]+\.run\.app$/.exec(url.hostname)?.[1] : undefined;
  const projects = [settings.get("project")?.value, number].filter((project) => project !== undefined);
  return service === undefined || region === undefined ? [] : projects.map((project) => ({ service, region, project }));
}

async function lookUpService(cloud: Cloud, names: readonly ServiceName[], url: URL, wantsPolicy: boolean): Promise<Evidence> {
  let missing: ServiceName | undefined;
  for (const name of names) {
    const [described, policy] = await Promise.all([
      settle(cloud.describe(name)),
      wantsPolicy ? quietly(() => cloud.policy(name)) : undefined,
    ]);
    if (described instanceof CliError) {
      if (described.reason === "VPC_SERVICE_CONTROLS") return { isOutsidePerimeter: true };
      missing = described.code === "NOT_FOUND" && readServiceUrl(url) ? name : undefined;
      // A service of the same name elsewhere is another one.
    } else if (!readServiceUrl(url) || described.urls.some((each) => sameService(each, url))) {
      return { service: described, ...(policy && { policy }) };
    }
  }
  return missing ? { missing } : {};
}

function sameService(each: string, url: URL): boolean {
  return new URL(each).hostname === url.hostname.replace(/^.+?---/, "");
}

async function lookUpAccount(cloud: Cloud, member: string | undefined): Promise<Evidence["account"]> {
  const [, account, project] = /^serviceAccount:(.+@(.+)\.iam\.gserviceaccount\.com)$/.exec(member ?? "") ?? [];
  if (account === undefined || project === undefined) return undefined;
  const found = await settle(cloud.account({ project, account }));
  if (found instanceof CliError) return found.code === "NOT_FOUND" ? "deleted" : undefined;
  return found.disabled ? "disabled" : undefined;
}

/** Whether a JWT is signed (RS256, RFC 7518, section 3.3) by one of the keys that Google publishes. Throws where they cannot be had. */
async function isSignedByGoogle(token: string, send: Send): Promise<boolean> {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const { kid = "" } = JSON.parse(Buffer.from(header, "base64url").toString("utf8")) as { readonly kid?: string };
  const key = await openGoogleKeys(send)(kid);
  return key !== undefined && verify("sha256", Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64url"));
}

/** What was asked for, or the error that says no; undefined is never an answer. */
async function settle<T>(asked: Promise<T>): Promise<T | CliError> {
  return asked.catch((error: unknown) => (error instanceof CliError ? error : new CliError("UNAVAILABLE", "It could not be looked up.")));
}

async function quietly<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch {
    return undefined;
  }
}

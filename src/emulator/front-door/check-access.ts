import { audiencesOf, resolveHost, type ServiceRoute } from "../run/resolve-host.ts";
import type { Runtime } from "../runtime.ts";
import type { Identity } from "../iam/principal.ts";
import { isAllowed } from "../iam/policy.ts";
import { isInvokerCheckOff } from "../run/invoker-check.ts";
import { resourceName } from "../run/names.ts";
import type { State } from "../state/state.ts";
import type { RawHeaders } from "../server/raw-headers.ts";
import { authenticate } from "./authenticate.ts";
import { hasIap, checkIap } from "./iap.ts";
import { forbidden, notFound, reserved, unauthorized, type Page } from "./error-pages.ts";
import { readSession } from "./session-affinity.ts";

interface ServiceCall {
  /** In lower case, without the port. */
  readonly host: string;
  readonly path: string;
  readonly rawHeaders: RawHeaders;
  /** True for a call by a service of the emulator itself. */
  readonly isInternal: boolean;
}

/** A call that is allowed, with the headers that the service gets; or the page that refuses it. */
type AccessDecision =
  /** `route` is the service that was called, if the caller can know of it. */
  | { readonly refusal: Page; readonly route?: ServiceRoute }
  | { readonly refusal?: undefined; readonly route: ServiceRoute & { readonly revisionName: string }; readonly rawHeaders: RawHeaders };

/** Decides as Cloud Run's front end does: does the service exist, can the caller reach it, who is the caller, and can they invoke it. */
export async function checkAccess(runtime: Pick<Runtime, "state" | "signingKeys" | "now">, call: ServiceCall): Promise<AccessDecision> {
  const { state, signingKeys, now } = runtime;
  if (RESERVED.test(call.path)) return { refusal: reserved(call.path) };
  const route = resolveHost(state, call.host, Math.random(), readSession(call.rawHeaders));
  if (!route || !isReachable(route, call)) return { refusal: notFound() };

  let { rawHeaders } = call;
  if (hasIap(route)) {
    const decision = await checkIap(runtime, route, call);
    if ("refusal" in decision) return { refusal: decision.refusal, route };
    ({ rawHeaders } = decision);
  } else if (!canInvoke(state, route)) {
    const credential = await authenticate(rawHeaders, { state, signingKeys, now, audiences: audiencesOf(route.service) });
    if (credential.kind === "none") return { refusal: forbidden(call.path, NOT_AUTHENTICATED), route };
    if (credential.kind === "invalid") return { refusal: unauthorized(call.path, notVerified(credential.reason)), route };
    if (!canInvoke(state, route, credential)) return { refusal: forbidden(call.path, notPermitted(credential.member)), route };
    rawHeaders = credential.redactedHeaders;
  }
  return hasRevision(route) ? { route, rawHeaders } : { refusal: notFound() };
}

function hasRevision(route: ServiceRoute): route is ServiceRoute & { readonly revisionName: string } {
  return route.revisionName !== undefined;
}

// Unlike Cloud Run: of the paths that end in z, only /healthz is known to be reserved; Google's documentation advises against all of them.
/** https://cloud.google.com/run/docs/known-issues#reserved_url_paths */
const RESERVED = /^\/(?:(?:eventlog|healthz)(?:\?|$)|_ah\/)/;

// Unlike Cloud Run: load balancers don't exist, so `internal-and-cloud-load-balancing` allows no more than `internal`.
/** https://cloud.google.com/run/docs/securing/ingress */
function isReachable({ service }: ServiceRoute, { isInternal }: ServiceCall): boolean {
  return isInternal || (service.metadata.annotations["run.googleapis.com/ingress"] ?? "all") === "all";
}

const READ_MORE =
  "Read more at https://cloud.google.com/run/docs/securing/authenticating Additional troubleshooting documentation can be found at: https://cloud.google.com/run/docs/troubleshooting";

const NOT_AUTHENTICATED = `The request was not authenticated. Either allow unauthenticated invocations or set the proper Authorization header. ${READ_MORE}#unauthorized-client`;

// Unlike Cloud Run: the request log says what is wrong with a credential, and which principal can't invoke the service.
function notVerified(reason: string): string {
  return `The request was not authorized to invoke this service. ${READ_MORE}#401 The access token could not be verified. ${reason}`;
}

function notPermitted(member: string): string {
  return `The request was not authorized to invoke this service. ${READ_MORE}#unauthorized-client ${member} lacks run.routes.invoke.`;
}

/**
 * Whether a caller can invoke a service: by the policy of the service or its project, or because the check is disabled
 * (`--no-invoker-iam-check`). Without a principal it says whether the service is public: credentials are then not checked, and reach the
 * service unchanged. https://cloud.google.com/run/docs/securing/managing-access#invoker_check
 */
export function canInvoke(state: State, { service, place }: Pick<ServiceRoute, "service" | "place">, principal?: Identity): boolean {
  if (isInvokerCheckOff(service)) return true;
  return isAllowed(state, principal, "run.routes.invoke", resourceName(place, service.metadata.name));
}

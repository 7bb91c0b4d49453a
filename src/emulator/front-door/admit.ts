import { audiencesOf, routeHost, type ServiceRoute } from "../run/route.ts";
import type { Runtime } from "../runtime.ts";
import { authenticate } from "./authenticate.ts";
import { mayInvoke } from "./authorize.ts";
import { hasIap, passIap } from "./iap.ts";
import { forbidden, notFound, reserved, unauthorized, type Page } from "./error-pages.ts";
import { readSession } from "./session-affinity.ts";

/** A call to a service, before anything of it is believed. */
interface ServiceCall {
  /** In lower case, without the port. */
  readonly host: string;
  /** The request's path and query. */
  readonly path: string;
  /** Name, value, name, value … */
  readonly rawHeaders: string[];
  /** True where a service of the emulator itself makes the call, and no program outside. */
  readonly isInternal: boolean;
}

/** A call that is let in, with the headers that the service may see; or the page that it is refused with. */
type Admission =
  /** `route` is the service that was called, where the caller may know of it. */
  | { readonly refusal: Page; readonly route?: ServiceRoute }
  | { readonly refusal?: undefined; readonly route: ServiceRoute & { readonly revisionName: string }; readonly rawHeaders: string[] };

/** Decides about a call as Cloud Run's front end does: is there such a service, can it be reached from there, who calls, and may he. */
export async function admit(runtime: Pick<Runtime, "state" | "signingKeys" | "now">, call: ServiceCall): Promise<Admission> {
  const { state, signingKeys, now } = runtime;
  if (RESERVED.test(call.path)) return { refusal: reserved(call.path) };
  const route = routeHost(state, call.host, Math.random(), readSession(call.rawHeaders));
  if (!route || !isReachable(route, call)) return { refusal: notFound() };

  let { rawHeaders } = call;
  if (hasIap(route)) {
    const passage = await passIap(runtime, route, call);
    if ("refusal" in passage) return { refusal: passage.refusal, route };
    ({ rawHeaders } = passage);
  } else if (!mayInvoke(state, route)) {
    const credential = await authenticate(rawHeaders, { state, signingKeys, now, audiences: audiencesOf(route.service) });
    if (credential.kind === "none") return { refusal: forbidden(call.path, NOT_AUTHENTICATED), route };
    if (credential.kind === "bad") return { refusal: unauthorized(call.path, notVerified(credential.reason)), route };
    if (!mayInvoke(state, route, credential)) return { refusal: forbidden(call.path, notPermitted(credential.member)), route };
    rawHeaders = credential.redactedHeaders;
  }
  return hasRevision(route) ? { route, rawHeaders } : { refusal: notFound() };
}

function hasRevision(route: ServiceRoute): route is ServiceRoute & { readonly revisionName: string } {
  return route.revisionName !== undefined;
}

// Unlike Cloud Run: of the paths that end in z only /healthz is known to be kept back; Google's documentation advises against all of them.
/** https://cloud.google.com/run/docs/known-issues#reserved_url_paths */
const RESERVED = /^\/(?:(?:eventlog|healthz)(?:\?|$)|_ah\/)/;

// Unlike Cloud Run: there are no load balancers, so `internal-and-cloud-load-balancing` lets in no more than `internal`.
/** https://cloud.google.com/run/docs/securing/ingress */
function isReachable({ service }: ServiceRoute, { isInternal }: ServiceCall): boolean {
  return isInternal || (service.metadata.annotations["run.googleapis.com/ingress"] ?? "all") === "all";
}

const READ_MORE =
  "Read more at https://cloud.google.com/run/docs/securing/authenticating Additional troubleshooting documentation can be found at: https://cloud.google.com/run/docs/troubleshooting";

const NOT_AUTHENTICATED = `The request was not authenticated. Either allow unauthenticated invocations or set the proper Authorization header. ${READ_MORE}#unauthorized-client`;

// Unlike Cloud Run: the request log says what is wrong with a credential, and who it was that may not call.
function notVerified(reason: string): string {
  return `The request was not authorized to invoke this service. ${READ_MORE}#401 The access token could not be verified. ${reason}`;
}

function notPermitted(member: string): string {
  return `The request was not authorized to invoke this service. ${READ_MORE}#unauthorized-client ${member} lacks run.routes.invoke.`;
}

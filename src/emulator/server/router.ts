import type { IncomingMessage } from "node:http";
import { authenticate } from "../iam/authenticate.ts";
import { authorize } from "../iam/policy.ts";
import type { ApiRequest } from "./api-request.ts";
import { RequestBody } from "./request-body.ts";
import { requireUsable } from "../apis/enabled-apis.ts";
import { ApiError, invalidArgument } from "./errors.ts";
import { jsonResponse, HttpResponse } from "./http-response.ts";
import type { State } from "../state/state.ts";

/** Returns the JSON of a 200 response, or an HttpResponse; throws HttpError. */
export type Handler = (call: ApiRequest) => unknown;

export interface Route {
  readonly handle: Handler;
  /** The IAM permission that the method needs; undefined if any authenticated caller can use it. */
  readonly permission?: string;
  /** The full name of the resource that the permission is checked on; default: `projects/{project}`. */
  readonly resource?: (call: ApiRequest) => string;
  /** True if the method needs no credential, such as the token endpoint and public keys. */
  readonly public?: true;
}

/** A route that needs a permission on `resource`; by default on the project. */
export function route(permission: string, handle: Handler, resource?: (request: ApiRequest) => string): Route {
  return { permission, handle, ...(resource && { resource }) };
}

/** Puts a path in front of routes: `GET /services` becomes `GET {parent}/services`. */
export function routesUnder(parent: string, routes: Readonly<Record<string, Route>>): Readonly<Record<string, Route>> {
  return Object.fromEntries(Object.entries(routes).map(([line, route]) => [line.replace(" ", ` ${parent}`), route]));
}

/** One Google API. Its routes are keyed by the HTTP line in Google's reference. */
export interface Api {
  /** Host names without a region; `run.googleapis.com` also serves `us-central1-run.googleapis.com`. */
  readonly hosts: readonly string[];
  readonly routes: Readonly<Record<string, Route>>;
}

interface CompiledRoute {
  readonly method: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly route: Route;
}

export type Router = (request: IncomingMessage, host: string, url: URL) => Promise<HttpResponse>;

/**
 * Combines the APIs into one function, which takes a request and returns a response or throws HttpError. `load` is called for the first
 * request, or by `prepare` before it.
 */
export function createRouter(load: () => Promise<readonly Api[]>, state: State, now: () => number) {
  let loaded: Promise<ReadonlyMap<string, readonly CompiledRoute[]>> | undefined;
  const loadRoutes = () => (loaded ??= load().then(compileAll));

  const route: Router = async (request, host, url) => {
    const { routes, region } = findApi(await loadRoutes(), host);
    const method = request.method ?? "GET";
    for (const candidate of routes) {
      const match = candidate.method === method ? candidate.pattern.exec(url.pathname) : null;
      if (!match) continue;
      const params = Object.fromEntries(candidate.names.map((name, index) => [name, decodeSegment(match[index + 1] ?? "")]));
      const { route } = candidate;
      const principal = route.public ? undefined : authenticate(request.headers, state, now());
      const apiRequest: ApiRequest = {
        method,
        host,
        region,
        url,
        query: url.searchParams,
        headers: request.headers,
        params,
        param: (name) => requireParameter(params, name, url),
        body: new RequestBody(request),
        principal,
      };
      if (params["project"] !== undefined)
        requireUsable(state, region === undefined ? host : host.slice(region.length + 1), params["project"]);
      if (principal && route.permission) {
        authorize(state, principal, route.permission, route.resource?.(apiRequest) ?? `projects/${params["project"] ?? ""}`);
      }
      const answer = await route.handle(apiRequest);
      return answer instanceof HttpResponse ? answer : jsonResponse(answer);
    }
    // Unlike Cloud Run: a path that the emulator doesn't know gets a 501 that names the method, not an HTML 404.
    throw new ApiError("UNIMPLEMENTED", `The emulator doesn't support ${method} https://${host}${url.pathname}.`);
  };
  return { route, prepare: loadRoutes };
}

function compileAll(apis: readonly Api[]): ReadonlyMap<string, readonly CompiledRoute[]> {
  const byHost = new Map<string, CompiledRoute[]>();
  for (const api of apis) {
    const routes = Object.entries(api.routes).map(([line, route]) => compileRoute(line, route));
    for (const host of api.hosts) byHost.set(host, [...(byHost.get(host) ?? []), ...routes]);
  }
  return byHost;
}

function findApi(
  byHost: ReadonlyMap<string, readonly CompiledRoute[]>,
  host: string,
): { routes: readonly CompiledRoute[]; region: string | undefined } {
  const exact = byHost.get(host);
  if (exact) return { routes: exact, region: undefined };
  const regional = /^([a-z]+-[a-z]+\d+)-(.+)$/.exec(host);
  return { routes: byHost.get(regional?.[2] ?? "") ?? [], region: regional?.[1] };
}

/** Compiles a pattern: `{name}` matches one segment up to a verb's colon, `{name=**}` the rest of the path. */
function compileRoute(line: string, route: Route): CompiledRoute {
  const [method = "", path = ""] = line.split(" ");
  const names: string[] = [];
  const pattern = path.replace(/\{(\w+)(=\*\*)?\}|[.*+?^$()[\]\\|]/g, (whole, name: string | undefined, rest: string | undefined) => {
    if (name === undefined) return `\\${whole}`;
    names.push(name);
    return rest ? "(.+)" : "([^/:]+)";
  });
  return { method, pattern: new RegExp(`^${pattern}$`), names, route };
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalidArgument("The request's path is not well-formed.");
  }
}

function requireParameter(params: Readonly<Record<string, string>>, name: string, { pathname }: URL): string {
  const value = params[name];
  if (value === undefined) throw new TypeError(`The route of ${pathname} has no {${name}}`);
  return value;
}

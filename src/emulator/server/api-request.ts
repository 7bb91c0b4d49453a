import type { IncomingHttpHeaders } from "node:http";
import type { Principal } from "../iam/principal.ts";
import type { RequestBody } from "./request-body.ts";

export interface ApiRequest {
  readonly method: string;
  /** Google's host as the client sees it, in lower case, without the port. */
  readonly host: string;
  /** The region in front of the host name (`us-central1-run.googleapis.com`), if any. */
  readonly region: string | undefined;
  readonly url: URL;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The value of one of the route's `{name}`s, percent-decoded; throws TypeError if the route doesn't have it. */
  param(name: string): string;
  /** The values of all of the route's `{name}`s. */
  readonly params: Readonly<Record<string, string>>;
  readonly body: RequestBody;
  /** Undefined only on public routes. */
  readonly principal: Principal | undefined;
}

/** The sender of a request; throws TypeError on public routes. */
export function requirePrincipal({ principal, url }: ApiRequest): Principal {
  if (!principal) throw new TypeError(`The route of ${url.pathname} needs no credential`);
  return principal;
}

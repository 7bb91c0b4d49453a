import type { TokenHeader } from "../../invoke/headers.ts";
import type { HostCheck } from "./check-host.ts";
import type { Addresses } from "./headers.ts";
import type { Rejections } from "./rejections.ts";
import type { RequestLog } from "./request-log.ts";
import type { ServiceConnections } from "./service-connections.ts";
import type { TokenSource } from "./token-source.ts";

/** A whole response of the proxy itself. */
export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What every request through the proxy needs. */
export interface RequestContext {
  readonly checkHost: HostCheck;
  /** The addresses to rewrite, for a caller that uses this host to reach the proxy. */
  addressesFor(host: string): Addresses;
  /** The token's header for requests that have an Authorization header. */
  readonly secondTokenHeader: TokenHeader;
  readonly tokens: TokenSource;
  readonly connections: ServiceConnections;
  readonly requestLog: RequestLog;
  readonly rejections: Rejections;
  statusPage(accept: string | undefined, proxyUrl: string): Page;
}

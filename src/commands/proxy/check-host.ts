import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { bareHost, isLoopback } from "../../http/route.ts";

/** Why a request is not forwarded. */
interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** Returns why a request is refused; undefined if it can use the credential. */
export type HostCheck = (
  host: string | undefined,
  headers: IncomingHttpHeaders,
  method: string | undefined,
  isWebSocket?: boolean,
) => Refusal | undefined;

interface HostCheckOptions {
  /** The address that the proxy listens on, as the user wrote it. */
  readonly host: string;
  readonly port: number;
  /** This computer's host name. */
  readonly machine: string;
  /** Web origins whose pages can call, besides local ones. */
  readonly origins: readonly string[];
}

/**
 * Decides who can use the credential: anyone who reaches the port, except web pages of other sites in a local browser. A page whose own host name resolves to
 * this machine (DNS rebinding) is recognized by its Host header, one that calls across sites by https://www.w3.org/TR/fetch-metadata/
 */
export function createHostCheck({ host, port, machine, origins }: HostCheckOptions): HostCheck {
  const bound = isIP(host) === 6 ? `[${host}]` : host.toLowerCase();
  const isAnyAddress = host === "0.0.0.0" || host === "::";
  const names = ["localhost", "127.0.0.1", "[::1]", bound, ...(isAnyAddress ? [machine.toLowerCase()] : [])];
  const hosts = new Set(names.flatMap((name) => [`${name}:${port}`, ...(port === 80 ? [name] : [])]));
  // The owner of a name can let it resolve to this machine; an address is always its own.
  const isOwnHost = (called: string): boolean =>
    hosts.has(called) || hosts.has(called.toLowerCase()) || (isAnyAddress && isAddress(called, port));

  return (called, headers, method, isWebSocket = false) => {
    if (called === undefined || !isOwnHost(called)) return refuseForeignHost(called, `${bound}:${port}`);
    const { origin, "sec-fetch-site": site } = headers;
    const isCrossSite = site === undefined ? isWebSocket && origin !== undefined : site === "cross-site";
    if (!isCrossSite) return undefined;
    // The user followed a link: the response is shown to them, and no page can read it.
    const isNavigation = headers["sec-fetch-mode"] === "navigate" && (method === "GET" || method === "HEAD");
    if (isNavigation || (origin !== undefined && (origins.includes(origin) || isLocalOrigin(origin)))) return undefined;
    return refuseForeignPage(origin);
  };
}

function isAddress(called: string, port: number): boolean {
  const end = `:${port}`;
  return isIP(bareHost(called.endsWith(end) ? called.slice(0, -end.length) : port === 80 ? called : "")) !== 0;
}

function isLocalOrigin(origin: string): boolean {
  return URL.canParse(origin) && isLoopback(bareHost(new URL(origin).hostname));
}

function refuseForeignHost(called: string | undefined, proxyHost: string): Refusal {
  const reason = called === undefined ? "missing Host header" : "unexpected Host header";
  return { status: 421, message: `Rejected by cloudrun-oauth proxy: ${reason}. Use http://${proxyHost}.` };
}

function refuseForeignPage(origin: string | undefined): Refusal {
  const isPrintable = origin !== undefined && /^[\w.:/[\]-]+$/.test(origin);
  const fix = isPrintable ? ` To allow this origin, restart the proxy with --allow-origin ${origin}.` : "";
  return { status: 403, message: `Rejected by cloudrun-oauth proxy: cross-site request.${fix}` };
}

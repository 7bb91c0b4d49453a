import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { bare, isLoopback } from "../../http/route.ts";

/** Why a request is not passed on. */
interface Refused {
  readonly status: number;
  readonly sentence: string;
}

export type Admission = (
  host: string | undefined,
  headers: IncomingHttpHeaders,
  method: string | undefined,
  isWebSocket?: boolean,
) => Refused | undefined;

interface AdmissionOptions {
  /** The address that was bound, as it was said. */
  readonly host: string;
  readonly port: number;
  /** This machine's own name. */
  readonly machine: string;
  /** Web origins besides those of this machine whose pages may call. */
  readonly origins: readonly string[];
}

/**
 * Decides who may use the credential. Whoever reaches the port may, but for pages of the web in a browser on this machine: one that points its own name here
 * is told by its Host header (DNS rebinding), one that calls across sites by what browsers say of it: https://www.w3.org/TR/fetch-metadata/
 */
export function createAdmission({ host, port, machine, origins }: AdmissionOptions): Admission {
  const bound = isIP(host) === 6 ? `[${host}]` : host.toLowerCase();
  const isEverywhere = host === "0.0.0.0" || host === "::";
  const names = ["localhost", "127.0.0.1", "[::1]", bound, ...(isEverywhere ? [machine.toLowerCase()] : [])];
  const hosts = new Set(names.flatMap((name) => [`${name}:${port}`, ...(port === 80 ? [name] : [])]));
  // A name can be pointed here by whoever owns it, an address cannot.
  const isOwn = (asked: string): boolean => hosts.has(asked) || hosts.has(asked.toLowerCase()) || (isEverywhere && isAddress(asked, port));

  return (asked, headers, method, isWebSocket = false) => {
    if (asked === undefined || !isOwn(asked)) return foreignHost(asked, `${bound}:${port}`);
    const { origin, "sec-fetch-site": site } = headers;
    const isAcross = site === undefined ? isWebSocket && origin !== undefined : site === "cross-site";
    if (!isAcross) return undefined;
    // A link that was followed; what it leads to is seen by whoever followed it, and by no page.
    const isVisit = headers["sec-fetch-mode"] === "navigate" && (method === "GET" || method === "HEAD");
    if (isVisit || (origin !== undefined && (origins.includes(origin) || isOfThisMachine(origin)))) return undefined;
    return foreignPage(origin);
  };
}

function isAddress(asked: string, port: number): boolean {
  const end = `:${port}`;
  return isIP(bare(asked.endsWith(end) ? asked.slice(0, -end.length) : port === 80 ? asked : "")) !== 0;
}

function isOfThisMachine(origin: string): boolean {
  return URL.canParse(origin) && isLoopback(bare(new URL(origin).hostname));
}

function foreignHost(asked: string | undefined, own: string): Refused {
  const named = asked === undefined ? "names no host" : "is for another host";
  return { status: 421, sentence: `This is cloudrun-oauth proxy at ${own}: the request ${named}, and is not passed on.` };
}

function foreignPage(origin: string | undefined): Refused {
  const remedy =
    origin === undefined ? "" : ` To let it: cloudrun-oauth proxy --allow-origin ${/^[\w.:/[\]-]+$/.test(origin) ? origin : "ORIGIN"}`;
  return { status: 403, sentence: `cloudrun-oauth proxy lends its credential to no page of another site.${remedy}` };
}

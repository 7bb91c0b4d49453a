import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { IncomingHttpHeaders as Http2Headers, OutgoingHttpHeaders } from "node:http2";
import { HOP_BY_HOP_HEADERS } from "../../http/raw-headers.ts";

/** The header that authenticates a request. */
export interface Credential {
  readonly tokenHeader: string;
  /** `Bearer …` */
  readonly value: string;
}

/** The addresses that are rewritten into each other. */
export interface Addresses {
  readonly service: URL;
  /** The URL that the caller uses, such as `http://localhost:8080`. */
  readonly proxyUrl: string;
}

/** The proxy sets the credential for Cloud Run, and Node handles Expect. */
const DROPPED_FROM_REQUESTS = new Set([...HOP_BY_HOP_HEADERS, "expect", "host", "x-serverless-authorization"]);
/** Alt-Svc names ports of the service's own address. */
const DROPPED_FROM_RESPONSES = new Set([...HOP_BY_HOP_HEADERS, "alt-svc"]);

type Action = "drop" | "keep" | "origin" | "location" | "set-cookie" | "trailer";

/** What happens to a header, by its name as it is spelled: a lookup is cheaper than lowering the case of every name of every request. */
function createActions(dropped: ReadonlySet<string>, rewritten: readonly Action[]): (name: string) => Action {
  const cached = new Map<string, Action>();
  return (name) => {
    const action = cached.get(name);
    if (action !== undefined) return action;
    const lower = name.toLowerCase();
    const chosen = dropped.has(lower) ? "drop" : (rewritten.find((each) => each === lower) ?? "keep");
    if (cached.size < 1000) cached.set(name, chosen);
    return chosen;
  };
}

const requestAction = createActions(DROPPED_FROM_REQUESTS, ["origin"]);
const responseAction = createActions(DROPPED_FROM_RESPONSES, ["location", "set-cookie", "trailer"]);

/** RFC 9110, section 8.6: a request of any other method says `Content-Length: 0` if it has no body. */
const METHODS_WITHOUT_BODY = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "DELETE"]);

/** True if a request has a body: RFC 9112, section 6.3. */
export function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

/** The headers of a request as the service gets them, including those that frame its body. */
export function requestHeaders(
  { method = "GET", rawHeaders, headers: received }: Pick<IncomingMessage, "method" | "rawHeaders" | "headers">,
  addresses: Addresses,
  credential: Credential,
): string[] {
  const headers = ["Host", addresses.service.host, credential.tokenHeader, credential.value];
  const nominated = nominatedBy(received.connection);
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const action = requestAction(name);
    if (action === "drop" || nominated?.has(name.toLowerCase())) continue;
    const value = rawHeaders[index + 1] as string;
    headers.push(name, action === "origin" ? rewriteOrigin(value, addresses) : value);
  }
  if (received["content-length"] !== undefined) return headers;
  if (hasBody(received)) headers.push("Transfer-Encoding", "chunked");
  else if (!METHODS_WITHOUT_BODY.has(method)) headers.push("Content-Length", "0");
  return headers;
}

/** The headers of a response as the caller gets them. */
export function responseHeaders(
  { statusCode, rawHeaders, headers: received }: IncomingMessage,
  method: string,
  addresses: Addresses,
): string[] {
  const headers: string[] = [];
  const nominated = nominatedBy(received.connection);
  const hasChunks = received["transfer-encoding"] !== undefined && method !== "HEAD" && statusCode !== 204 && statusCode !== 304;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const action = responseAction(name);
    if (action === "drop" || nominated?.has(name.toLowerCase())) continue;
    // RFC 9110, section 6.5.1: trailers follow only a body in chunks, and Node throws at a head that announces others.
    if (action === "trailer" && !hasChunks) continue;
    headers.push(name, rewrite(action, rawHeaders[index + 1] as string, addresses));
  }
  return headers;
}

/** The headers of a request in HTTP/2. TE can say `trailers`, which gRPC needs: RFC 9113, section 8.2.2. */
export function http2RequestHeaders(headers: Http2Headers, addresses: Addresses, { tokenHeader, value }: Credential): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders = {
    ":method": headers[":method"],
    ":path": headers[":path"],
    ":scheme": addresses.service.protocol.slice(0, -1),
    ":authority": addresses.service.host,
    [tokenHeader.toLowerCase()]: value,
  };
  for (const name in headers) {
    if (!name.startsWith(":") && requestAction(name) !== "drop") fields[name] = headers[name];
  }
  if (headers.te === "trailers") fields["te"] = "trailers";
  if (headers.origin !== undefined) fields["origin"] = rewriteOrigin(headers.origin, addresses);
  return fields;
}

/** Headers or trailers of a response in HTTP/2 as the caller gets them. */
export function http2ResponseHeaders(headers: Http2Headers, addresses: Addresses): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders = {};
  for (const name in headers) {
    const action = responseAction(name);
    const value = headers[name];
    if (action === "drop" || value === undefined) continue;
    fields[name] = Array.isArray(value) ? value.map((single) => rewrite(action, single, addresses)) : rewrite(action, value, addresses);
  }
  return fields;
}

/** A page that came through the proxy belongs to the service, which compares Origin with its own Host. */
function rewriteOrigin(origin: string, { service, proxyUrl }: Addresses): string {
  return origin === proxyUrl ? service.origin : origin;
}

function rewrite(action: Action, value: string, addresses: Addresses): string {
  if (action === "location") return rewriteLocation(value, addresses);
  return action === "set-cookie" ? rewriteCookie(value, addresses) : value;
}

/** A Location within the service leads back to the proxy. */
function rewriteLocation(value: string, { service, proxyUrl }: Addresses): string {
  const [authority] = /^(?:https?:)?\/\/[^/?#]*/i.exec(value) ?? [];
  if (authority === undefined || !URL.canParse(authority, service.href)) return value;
  return new URL(authority, service).host === service.host ? `${proxyUrl}${value.slice(authority.length)}` : value;
}

/** RFC 6265, section 5.3: a cookie without a Domain belongs to the host that set it, which to a browser is the proxy. */
function rewriteCookie(cookie: string, { service }: Addresses): string {
  return cookie.replace(/;\s*domain=([^;]*)/gi, (attribute, value: string) => {
    const domain = value.trim().replace(/^\./, "").toLowerCase();
    return domain === service.hostname || service.hostname.endsWith(`.${domain}`) ? "" : attribute;
  });
}

/** RFC 9110, section 7.6.1: Connection names further hop-by-hop headers. Content-Length can't be one: without it a body would end elsewhere. */
function nominatedBy(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || /^(?:keep-alive|close|upgrade)$/i.test(connection)) return undefined;
  const names = new Set(
    connection
      .toLowerCase()
      .split(",")
      .map((name) => name.trim()),
  );
  names.delete("content-length");
  return names;
}

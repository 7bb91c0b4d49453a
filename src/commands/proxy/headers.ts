import type { IncomingHttpHeaders } from "node:http";
import type { IncomingHttpHeaders as Http2Headers, OutgoingHttpHeaders } from "node:http2";

/** The header and the value that make a call an authenticated one. */
export interface Credential {
  readonly carrier: string;
  /** `Bearer …` */
  readonly value: string;
}

/** What is rewritten between the proxy's own address and the service's. */
export interface Addresses {
  readonly service: URL;
  /** As the caller calls the proxy: `http://localhost:8080`. */
  readonly own: string;
}

/** RFC 9110, section 7.6.1: these concern one connection. */
const OF_CONNECTION = ["connection", "http2-settings", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];
/** A credential for this proxy or for Cloud Run is set here; Node has answered Expect. */
const NOT_SENT = new Set([...OF_CONNECTION, "expect", "host", "proxy-authorization", "x-serverless-authorization"]);
/** Alt-Svc speaks of ports of the service's own address. */
const NOT_ANSWERED = new Set([...OF_CONNECTION, "alt-svc"]);

type Kind = "drop" | "keep" | "origin" | "location" | "set-cookie";

/** What becomes of a header, by its name as it is spelled: to ask a map is cheaper than to lower the case of every name of every request. */
function createKinds(dropped: ReadonlySet<string>, rewritten: readonly Kind[]): (name: string) => Kind {
  const known = new Map<string, Kind>();
  return (name) => {
    const kind = known.get(name);
    if (kind !== undefined) return kind;
    const lower = name.toLowerCase();
    const found = dropped.has(lower) ? "drop" : (rewritten.find((each) => each === lower) ?? "keep");
    if (known.size < 1000) known.set(name, found);
    return found;
  };
}

const sentKind = createKinds(NOT_SENT, ["origin"]);
const answeredKind = createKinds(NOT_ANSWERED, ["location", "set-cookie"]);

/** The headers of a request as the service gets them, and of what is said of its body: name, value, name, value … */
export function sentHeaders(
  rawHeaders: readonly string[],
  { connection }: IncomingHttpHeaders,
  addresses: Addresses,
  credential: Credential,
) {
  const headers = ["Host", addresses.service.host, credential.carrier, credential.value];
  const nominated = nominatedBy(connection);
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const kind = sentKind(name);
    if (kind === "drop" || nominated?.has(name.toLowerCase())) continue;
    const value = rawHeaders[index + 1] as string;
    headers.push(name, kind === "origin" ? sentOrigin(value, addresses) : value);
  }
  return headers;
}

/** The headers of an answer as the caller gets them: name, value, name, value … */
export function answeredHeaders(rawHeaders: readonly string[], connection: string | undefined, addresses: Addresses): string[] {
  const headers: string[] = [];
  const nominated = nominatedBy(connection);
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const kind = answeredKind(name);
    if (kind === "drop" || nominated?.has(name.toLowerCase())) continue;
    headers.push(name, rewrite(kind, rawHeaders[index + 1] as string, addresses));
  }
  return headers;
}

/** The same for HTTP/2, where headers are an object; RFC 9113, section 8.2.2: TE may say `trailers`, which gRPC needs. */
export function sentFields(headers: Http2Headers, addresses: Addresses, { carrier, value }: Credential): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders = {
    ":method": headers[":method"],
    ":path": headers[":path"],
    ":scheme": addresses.service.protocol.slice(0, -1),
    ":authority": addresses.service.host,
    [carrier.toLowerCase()]: value,
  };
  for (const name in headers) {
    if (!name.startsWith(":") && sentKind(name) !== "drop") fields[name] = headers[name];
  }
  if (headers.te === "trailers") fields["te"] = "trailers";
  if (headers.origin !== undefined) fields["origin"] = sentOrigin(headers.origin, addresses);
  return fields;
}

/** Headers or trailers of an answer in HTTP/2 as the caller gets them. */
export function answeredFields(headers: Http2Headers, addresses: Addresses): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders = {};
  for (const name in headers) {
    const kind = answeredKind(name);
    const value = headers[name];
    if (kind === "drop" || value === undefined) continue;
    fields[name] = Array.isArray(value) ? value.map((each) => rewrite(kind, each, addresses)) : rewrite(kind, value, addresses);
  }
  return fields;
}

/** A page that the proxy delivered belongs to the service, which compares its Origin with the Host that it is called by. */
export function sentOrigin(origin: string, { service, own }: Addresses): string {
  return origin === own ? service.origin : origin;
}

function rewrite(kind: Kind, value: string, addresses: Addresses): string {
  if (kind === "location") return answeredLocation(value, addresses);
  return kind === "set-cookie" ? answeredCookie(value, addresses) : value;
}

/** A Location within the service leads to the proxy again. */
export function answeredLocation(value: string, { service, own }: Addresses): string {
  const [authority] = /^(?:https?:)?\/\/[^/?#]*/i.exec(value) ?? [];
  if (authority === undefined || !URL.canParse(authority, service.href)) return value;
  return new URL(authority, service).host === service.host ? `${own}${value.slice(authority.length)}` : value;
}

/** RFC 6265, section 5.3: a cookie without a Domain belongs to the host that set it, which is the proxy's for a browser. */
export function answeredCookie(value: string, { service }: Addresses): string {
  return value.replace(/;\s*domain=([^;]*)/gi, (attribute, named: string) => {
    const domain = named.trim().replace(/^\./, "").toLowerCase();
    return domain === service.hostname || service.hostname.endsWith(`.${domain}`) ? "" : attribute;
  });
}

/** RFC 9110, section 7.6.1: Connection names further headers that concern one connection. */
function nominatedBy(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || /^(?:keep-alive|close|upgrade)$/i.test(connection)) return undefined;
  return new Set(
    connection
      .toLowerCase()
      .split(",")
      .map((name) => name.trim()),
  );
}

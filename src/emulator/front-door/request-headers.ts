import type { ServiceRequest } from "./passage.ts";
import { cloudTraceContext, traceparent, type Trace } from "./trace.ts";

/** RFC 9110, section 7.6.1: these concern one connection and are not passed on. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);
/** What the front end sets or answers itself, whatever the caller sent. */
const OWN = new Set(["cookie", "expect", "forwarded", "traceparent", "x-cloud-trace-context", "x-forwarded-for", "x-forwarded-proto"]);

/**
 * The headers that an instance sees: name, value, name, value … `rawHeaders` are the caller's, the checked credential already without its signature.
 * https://cloud.google.com/run/docs/container-contract
 */
export function requestHeaders(request: ServiceRequest, rawHeaders: readonly string[], trace: Trace): string[] {
  const headers: string[] = [];
  const cookies: string[] = [];
  if (request.httpVersionMajor === 2) headers.push("Host", request.headers.host ?? "");
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [name, value] = [rawHeaders[index] as string, rawHeaders[index + 1] as string];
    const known = name.toLowerCase();
    if (known === "cookie") cookies.push(value);
    else if (!known.startsWith(":") && !HOP_BY_HOP.has(known) && !OWN.has(known)) headers.push(name, value);
  }
  // RFC 9113, section 8.2.3: HTTP/2 may cut a Cookie header into pieces, HTTP/1.1 may not.
  if (cookies.length > 0) headers.push("Cookie", cookies.join("; "));
  if (/\btrailers\b/i.test(String(request.headers.te ?? ""))) headers.push("TE", "trailers");
  const caller = request.socket.remoteAddress ?? "127.0.0.1";
  const before = request.headers["x-forwarded-for"];
  headers.push("X-Forwarded-For", before ? `${String(before)},${caller}` : caller, "X-Forwarded-Proto", "https");
  headers.push("Forwarded", `for="${caller}";proto=https`);
  headers.push("X-Cloud-Trace-Context", cloudTraceContext(trace), "traceparent", traceparent(trace));
  return headers;
}

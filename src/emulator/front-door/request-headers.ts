import type { IncomingMessage } from "node:http";
import { HOP_BY_HOP_HEADERS, type RawHeaders } from "../server/raw-headers.ts";
import { cloudTraceContext, traceparent, type Trace } from "./trace.ts";

/** Headers that the front end sets or handles itself, whatever the caller sent. */
const FRONT_END_HEADERS = new Set([
  "cookie",
  "expect",
  "forwarded",
  "traceparent",
  "x-cloud-trace-context",
  "x-forwarded-for",
  "x-forwarded-proto",
]);

/**
 * The headers that an instance sees. `rawHeaders` are the caller's, the checked credential already without its signature.
 * https://cloud.google.com/run/docs/container-contract
 */
export function requestHeaders(request: IncomingMessage, rawHeaders: RawHeaders, trace: Trace): string[] {
  const headers: string[] = [];
  const cookies: string[] = [];
  if (request.httpVersionMajor === 2) headers.push("Host", request.headers.host ?? "");
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [name, value] = [rawHeaders[index] as string, rawHeaders[index + 1] as string];
    const lowerName = name.toLowerCase();
    if (lowerName === "cookie") cookies.push(value);
    else if (!lowerName.startsWith(":") && !HOP_BY_HOP_HEADERS.has(lowerName) && !FRONT_END_HEADERS.has(lowerName))
      headers.push(name, value);
  }
  // RFC 9113, section 8.2.3: HTTP/2 can split a Cookie header into several, HTTP/1.1 can't.
  if (cookies.length > 0) headers.push("Cookie", cookies.join("; "));
  if (/\btrailers\b/i.test(String(request.headers.te ?? ""))) headers.push("TE", "trailers");
  const caller = request.socket.remoteAddress ?? "127.0.0.1";
  const forwardedFor = request.headers["x-forwarded-for"];
  headers.push("X-Forwarded-For", forwardedFor ? `${String(forwardedFor)},${caller}` : caller, "X-Forwarded-Proto", "https");
  headers.push("Forwarded", `for="${caller}";proto=https`);
  headers.push("X-Cloud-Trace-Context", cloudTraceContext(trace), "traceparent", traceparent(trace));
  return headers;
}

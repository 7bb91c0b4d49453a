import { createHash } from "node:crypto";
import { STATUS_CODES } from "node:http";
import { errorInfo } from "../server/errors.ts";
import { forbidden, notFound, unauthorized, unavailable } from "../front-door/error-pages.ts";
import { isServiceHost } from "../server/hosts.ts";
import { htmlResponse, jsonResponse, type HttpResponse } from "../server/http-response.ts";

/** Google's status and message for an HTTP status: https://cloud.google.com/apis/design/errors#error_model */
const ERRORS: Readonly<Record<number, readonly [status: string, message: string]>> = {
  400: ["INVALID_ARGUMENT", "Request contains an invalid argument."],
  401: [
    "UNAUTHENTICATED",
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
  ],
  403: ["PERMISSION_DENIED", "The caller does not have permission"],
  404: ["NOT_FOUND", "Requested entity was not found."],
  409: ["ABORTED", "The operation was aborted."],
  429: ["RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute'"],
  500: ["INTERNAL", "Internal error encountered."],
  501: ["UNIMPLEMENTED", "Operation is not implemented, or supported, or enabled."],
  503: ["UNAVAILABLE", "The service is currently unavailable."],
  504: ["DEADLINE_EXCEEDED", "Deadline expired before operation could complete."],
};

interface FaultError {
  readonly status: number;
  /** In seconds. */
  readonly retryAfter?: number | undefined;
  readonly reason?: "VPC_SERVICE_CONTROLS" | undefined;
}

/** The error response of a host: a service's page, the token endpoint's error, or an API's error. `target` is the request's path and query. */
export function faultResponse(host: string, target: string, { status, retryAfter, reason }: FaultError): HttpResponse {
  if (reason === "VPC_SERVICE_CONTROLS" && !isServiceHost(host)) return outsidePerimeter(host, target);
  const reply = isServiceHost(host)
    ? servicePage(target, status)
    : isTokenEndpoint(host, target)
      ? tokenError(status)
      : apiError(host, status);
  return retryAfter === undefined ? reply : { ...reply, headers: { ...reply.headers, "retry-after": String(retryAfter) } };
}

function servicePage(target: string, status: number): HttpResponse {
  if (status === 401) return unauthorized(target);
  if (status === 403) return forbidden(target);
  if (status === 404) return notFound();
  if (status === 429 || status === 500 || status === 503 || status === 504) return unavailable(status);
  return htmlResponse(`<html><head><title>${status} ${STATUS_CODES[status] ?? ""}</title></head><body></body></html>\n`, status);
}

function isTokenEndpoint(host: string, target: string): boolean {
  return host === "oauth2.googleapis.com" || /^\/(o\/)?oauth2\//.test(target);
}

/** RFC 6749, section 5.2, with the codes that Google's clients retry. */
function tokenError(status: number): HttpResponse {
  const error = status >= 500 ? "internal_failure" : status === 429 ? "rate_limit_exceeded" : "invalid_request";
  return jsonResponse({ error, error_description: status >= 500 ? "Backend Error" : (ERRORS[status]?.[1] ?? "Bad Request") }, status);
}

function apiError(host: string, status: number): HttpResponse {
  const [code, message] = ERRORS[status] ?? ["UNKNOWN", STATUS_CODES[status] ?? "Unknown Error"];
  if (status !== 429) return jsonResponse({ error: { code: status, message, status: code } }, status);
  const metadata = { service: host, quota_metric: `${host}/requests`, quota_limit: "RequestsPerMinute" };
  const detail = { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "RATE_LIMIT_EXCEEDED", domain: "googleapis.com", metadata };
  return jsonResponse({ error: { code: status, message: `${message} of service '${host}'.`, status: code, details: [detail] } }, status);
}

// Unlike Cloud Run: VPC Service Controls perimeters don't exist; a fault responds as if one did.
/** https://cloud.google.com/vpc-service-controls/docs/troubleshooting */
function outsidePerimeter(host: string, target: string): HttpResponse {
  const id = createHash("sha256").update(`${host}${target}`).digest("base64url").slice(0, 32);
  const message = `Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: ${id}`;
  const violation = { type: "VPC_SERVICE_CONTROLS", description: id };
  const failure = { "@type": "type.googleapis.com/google.rpc.PreconditionFailure", violations: [violation] };
  const info = errorInfo("SECURITY_POLICY_VIOLATED", { uid: id, service: host.replace(/^[a-z]+-[a-z]+\d+-/, "") });
  return jsonResponse({ error: { code: 403, message, status: "PERMISSION_DENIED", details: [failure, info] } }, 403);
}

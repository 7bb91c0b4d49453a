import { jsonResponse, type HttpResponse } from "./http-response.ts";

/** An unsuccessful response. Handlers throw it; the server sends it in one place. */
export abstract class HttpError extends Error {
  abstract toResponse(): HttpResponse;
}

// https://cloud.google.com/apis/design/errors#handling_errors
const HTTP_STATUS = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  OUT_OF_RANGE: 416,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ABORTED: 409,
  ALREADY_EXISTS: 409,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
} as const;

export type Status = keyof typeof HTTP_STATUS;

/** A Google API's error: `{"error": {code, message, status, details}}`. */
export class ApiError extends HttpError {
  override readonly name = "ApiError";
  readonly status: Status;
  readonly details: readonly object[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: Status, message: string, details: readonly object[] = [], headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.details = details;
    this.headers = headers;
  }

  toResponse(): HttpResponse {
    const error = { code: HTTP_STATUS[this.status], message: this.message, status: this.status };
    return jsonResponse(
      { error: this.details.length > 0 ? { ...error, details: this.details } : error },
      HTTP_STATUS[this.status],
      this.headers,
    );
  }
}

/** The token endpoint's error: RFC 6749, section 5.2. */
export class OAuthError extends HttpError {
  override readonly name = "OAuthError";
  readonly error: string;
  readonly httpStatus: number;

  constructor(error: string, description: string, httpStatus = 400) {
    super(description);
    this.error = error;
    this.httpStatus = httpStatus;
  }

  toResponse(): HttpResponse {
    return jsonResponse({ error: this.error, error_description: this.message }, this.httpStatus);
  }
}

export function invalidArgument(message = "Request contains an invalid argument.", details: readonly object[] = []): ApiError {
  return new ApiError("INVALID_ARGUMENT", message, details);
}

/** IAM's refusal, as Google's APIs word it, with the permission as a machine-readable detail. */
export function permissionDenied(permission: string, resource: string): ApiError {
  return new ApiError("PERMISSION_DENIED", `Permission '${permission}' denied on resource '${resource}' (or resource may not exist).`, [
    errorInfo("IAM_PERMISSION_DENIED", { permission, resource }, "iam.googleapis.com"),
  ]);
}

/** Google's generic error for a resource that doesn't exist. */
export function entityNotFound(): ApiError {
  return new ApiError("NOT_FOUND", "Requested entity was not found.");
}

/** The detail that names an error's reason for machines: https://cloud.google.com/apis/design/errors#error_info */
export function errorInfo(reason: string, metadata: Readonly<Record<string, string>>, domain = "googleapis.com"): object {
  return { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain, metadata };
}

/** The detail that names what must change before a request can succeed: https://cloud.google.com/apis/design/errors#error_details */
export function preconditionFailure(violation: Readonly<Record<string, string>>): object {
  return { "@type": "type.googleapis.com/google.rpc.PreconditionFailure", violations: [violation] };
}

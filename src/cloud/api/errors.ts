import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { explainControlPlane } from "../errors/control-plane.ts";
import type { FailedCall } from "../errors/known-error.ts";
import { quotaExceeded } from "../errors/project.ts";
import type { Place } from "../names.ts";

/** Statuses that can pass: a quota is used up, an API is unavailable. */
export const BUSY_STATUSES = [429, 500, 502, 503, 504];

/** The JSON of a response that is not an error. Throws UNAVAILABLE for anything else, such as a page. */
export function readJson(text: string, host: string): unknown {
  if (text === "") return {};
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new CliError("UNAVAILABLE", `${host} returned a response that isn't JSON.`, { hint: PROXY_HINT, cause });
  }
}

export const PROXY_HINT = "A proxy might be intercepting requests.";

/** What a response with a status of 400 or above means. https://cloud.google.com/apis/design/errors */
export function readApiError(
  status: number,
  text: string,
  host: string,
  call: Omit<FailedCall, "sentence" | "via">,
  retryAfterSeconds = 0,
): CliError {
  const { message = readPage(text), code = "", details: googleDetails } = readError(text);
  const cause = new Error(`${host} returned ${status}: ${text.slice(0, 2000)}`);
  if (status === 401)
    return new CliError("CREDENTIALS_INVALID", `${host} rejected the credentials: ${message}`, {
      next: [nextStep("To check the credentials", "doctor")],
      cause,
    });
  const details = { status, ...(retryAfterSeconds > 0 && { retry_after: retryAfterSeconds }) };
  if (status === 429) return quotaExceeded(call.project, message, { cause, details, retryAfterSeconds });
  if (BUSY_STATUSES.includes(status))
    return new CliError("UNAVAILABLE", `${host} returned ${status}: ${message}`, {
      hint: "Run the command again in a minute.",
      cause,
      retryAfterSeconds,
      details,
    });
  const description = `${code}: ${message} ${googleDetails ? JSON.stringify(googleDetails) : ""}`;
  const known = explainControlPlane(description, { ...call, via: "api", sentence: message }, cause);
  return known ?? new CliError(CODES[status] ?? "GCLOUD_FAILED", `${host} returned ${status}: ${message}`, { cause });
}

export function deployFailure(message: string, { project, region }: Place): CliError {
  return explainControlPlane(message, { via: "api", project, region, sentence: message }) ?? new CliError("DEPLOY_FAILED", message);
}

const CODES: Readonly<Record<number, "NOT_FOUND" | "PERMISSION_DENIED" | "CONFLICT">> = {
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  409: "CONFLICT",
};

/** A response that is not an API's error. A page is for people, so its text is left out. */
function readPage(text: string): string {
  return /^\s*</.test(text) ? "an HTML page instead of JSON." : text.slice(0, 200);
}

function readError(text: string): { message?: string; code?: string; details?: unknown } {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string; status?: string; details?: unknown } };
    return { message: error?.message, code: error?.status, details: error?.details };
  } catch {
    return {};
  }
}

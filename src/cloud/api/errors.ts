import { CliError } from "../../errors/cli-error.ts";
import { explainControlPlane, type FailedCall } from "../errors/control-plane.ts";
import { quotaExceeded } from "../errors/project.ts";
import type { Place } from "../names.ts";

/** The statuses of what passes: a quota that is spent, an API that is unavailable for the moment. */
export const BUSY_STATUSES = [429, 500, 502, 503, 504];

/** The JSON of a response that is not an error. Throws UNAVAILABLE for anything else, such as a page. */
export function readJson(text: string, host: string): unknown {
  if (text === "") return {};
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new CliError("UNAVAILABLE", `${host} answers with something else than Google's API does.`, {
      hint: "Does a proxy answer in its place?",
      cause,
    });
  }
}

/** What a response with a status of 400 or above means. https://cloud.google.com/apis/design/errors */
export function readApiError(
  status: number,
  text: string,
  host: string,
  facts: Omit<FailedCall, "sentence">,
  retryAfterSeconds = 0,
): CliError {
  const { message = readPage(text), code = "", details: googleDetails } = readError(text);
  const cause = new Error(`${host} answered ${status}: ${text.slice(0, 2000)}`);
  if (status === 401)
    return new CliError("CREDENTIALS_INVALID", `${host} does not accept the credentials: ${message}`, {
      hint: "Name another key file in GOOGLE_APPLICATION_CREDENTIALS.",
      cause,
    });
  const details = { status, ...(retryAfterSeconds > 0 && { retry_after: retryAfterSeconds }) };
  if (status === 429) return quotaExceeded(facts.project, message, { cause, details, retryAfterSeconds });
  if (BUSY_STATUSES.includes(status))
    return new CliError("UNAVAILABLE", `${host} answered ${status}: ${message}`, {
      hint: "Run the command again in a minute.",
      cause,
      retryAfterSeconds,
      details,
    });
  const description = `${code}: ${message} ${googleDetails ? JSON.stringify(googleDetails) : ""}`;
  const known = explainControlPlane(description, { ...facts, sentence: message }, cause);
  return known ?? new CliError(BY_STATUS[status] ?? "GCLOUD_FAILED", `${host} answered ${status}: ${message}`, { cause });
}

/** The error for the reason why a revision did not become ready. */
export function deployFailure(message: string, { project, region }: Place): CliError {
  return explainControlPlane(message, { project, region, sentence: message }) ?? new CliError("DEPLOY_FAILED", message);
}

const BY_STATUS: Readonly<Record<number, "NOT_FOUND" | "PERMISSION_DENIED" | "CONFLICT">> = {
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  409: "CONFLICT",
};

/** A response that is not an API's error. A page is for people, so its text is left out. */
function readPage(text: string): string {
  return /^\s*</.test(text) ? "with a page instead of an answer." : text.slice(0, 200);
}

function readError(text: string): { message?: string; code?: string; details?: unknown } {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string; status?: string; details?: unknown } };
    return { message: error?.message, code: error?.status, details: error?.details };
  } catch {
    return {};
  }
}

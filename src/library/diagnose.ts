import { Readable } from "node:stream";
import { explainRefusal } from "../invoke/refusal/explain-refusal.ts";
import { CliError } from "../errors/cli-error.ts";
import type { ErrorCode } from "../errors/exit-codes.ts";
import type { NextStep } from "../errors/next-step.ts";
import type { Response as HttpResponse } from "../http/request.ts";

/** Why Cloud Run's front end refused a call. */
export interface Diagnosis {
  /** NOT_AUTHENTICATED, NOT_AUTHORIZED or NOT_REACHABLE; HTTP_STATUS if Cloud Run responded for an instance that didn't. */
  readonly code: ErrorCode;
  /** One of the reasons in docs/rejected-requests.md. */
  readonly reason?: string;
  /** One sentence. */
  readonly message: string;
  /** The cause, or what to change. */
  readonly hint?: string;
  /** Commands that help. */
  readonly next: readonly NextStep[];
}

/** A response of any HTTP client. */
export interface RefusedAnswer {
  /** The URL of the request. */
  readonly url: string | URL;
  readonly status: number;
  readonly headers: Headers | Readonly<Record<string, string>>;
  readonly body: string;
}

export interface DiagnoseOptions {
  /** The ID token of the request; not needed for a Response of `createFetch`. */
  readonly token?: string;
  /** The URL of the request; not needed for a Response of `fetch`. */
  readonly url?: string | URL;
}

/** The front end's pages have a few hundred bytes. */
const MAX_PAGE_BYTES = 65_536;

/** The tokens of `createFetch`'s requests, by their response. */
const sentTokens = new WeakMap<Response, string>();

/** Remembers a response's token, so that `diagnose` doesn't need it. */
export function rememberToken(response: Response, token: string | undefined): void {
  if (token !== undefined) sentTokens.set(response, token);
}

/**
 * Explains a response with which Cloud Run's front end refused a request; undefined if the response is the service's own. Reads a copy of
 * the body. Throws CliError USAGE if the body has been read already, or if the URL isn't known.
 */
export async function diagnose(response: Response | RefusedAnswer, options: DiagnoseOptions = {}): Promise<Diagnosis | undefined> {
  if (response.status < 300) return undefined;
  const url = options.url ?? response.url;
  if (!URL.canParse(String(url))) throw new CliError("USAGE", "Missing option: url.");
  const [token, body] =
    "clone" in response ? [options.token ?? sentTokens.get(response), await readCopy(response)] : [options.token, response.body];
  const headers = Object.fromEntries(new Headers(response.headers as Record<string, string>));
  const error = await explain({ url: new URL(url), status: response.status, headers, body }, token);
  if (!error) return undefined;
  const { code, message, hint, next, reason } = error;
  return { code, message, next, ...(hint !== undefined && { hint }), ...(reason !== undefined && { reason }) };
}

/** Explains a response whose body is still unread, as `diagnose` does; returns a copy of the body, which it reads. */
export async function explainResponse(
  response: HttpResponse,
  url: URL,
  token: string,
): Promise<{ refusal: CliError | undefined; body: Readable }> {
  const { status, headers } = response;
  const isPage = (headers["content-type"] ?? "text/html").startsWith("text/html");
  if (!isPage) return { refusal: undefined, body: response.body };
  const bytes = await response.bytes();
  return {
    refusal: await explain({ url, status, headers, body: bytes.toString("utf8") }, token),
    body: Readable.from(bytes.length > 0 ? [bytes] : []),
  };
}

function explain(
  response: { url: URL; status: number; headers: Readonly<Record<string, string>>; body: string },
  token: string | undefined,
) {
  const sent = token === undefined ? [] : [["Authorization", `Bearer ${token}`] as const];
  return explainRefusal({ ...response, sent, now: Date.now() });
}

async function readCopy(response: Response): Promise<string> {
  if (response.bodyUsed)
    throw new CliError("USAGE", "The response body has already been read.", {
      hint: "Call diagnose() before you read the body. It works on a copy.",
    });
  const chunks: Uint8Array[] = [];
  const reader = response.clone().body?.getReader();
  for (let size = 0; reader && size < MAX_PAGE_BYTES;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.length;
  }
  // Not awaited: the copy ends with the original, which the caller hasn't read yet.
  reader?.cancel().catch(() => {});
  return Buffer.concat(chunks).toString("utf8");
}

import { Readable } from "node:stream";
import { explainRefusal } from "../invoke/refusal/explain-refusal.ts";
import { CliError } from "../errors/cli-error.ts";
import type { ErrorCode } from "../errors/exit-codes.ts";
import type { Response as Answer } from "../http/client.ts";

/** Why Cloud Run's front end refused a call. */
export interface Diagnosis {
  /** NOT_AUTHENTICATED, NOT_AUTHORIZED or NOT_REACHABLE; HTTP_STATUS where Cloud Run answered for a service that gave no answer. */
  readonly code: ErrorCode;
  /** What it was in particular: one of those in docs/refusals.md. */
  readonly reason?: string;
  /** One sentence. */
  readonly message: string;
  /** The command to run next, or the one thing to change. */
  readonly hint?: string;
}

/** An answer as any HTTP client has it. */
export interface RefusedAnswer {
  /** What was called. */
  readonly url: string | URL;
  readonly status: number;
  readonly headers: Headers | Readonly<Record<string, string>>;
  readonly body: string;
}

export interface DiagnoseOptions {
  /** The ID token that was sent along; not needed for a Response of `createFetch`. */
  readonly token?: string;
  /** What was called; not needed where the Response came from a `fetch`, which knows it. */
  readonly url?: string | URL;
}

/** Bytes. The front end's pages have a few hundred. */
const MAX_PAGE_BYTES = 65_536;

/** The tokens that went with the responses of `createFetch`, for as long as somebody has the response. */
const sentTokens = new WeakMap<Response, string>();

/** So that whoever got the response need not know the token to have it explained. */
export function rememberToken(response: Response, token: string | undefined): void {
  if (token !== undefined) sentTokens.set(response, token);
}

/**
 * Explains an answer with which Cloud Run's front end refused a call; undefined where the answer is the service's own. A Response keeps its
 * body: a copy is read. Throws CliError USAGE where that is too late, or where it is not known what was called.
 */
export async function diagnose(answer: Response | RefusedAnswer, options: DiagnoseOptions = {}): Promise<Diagnosis | undefined> {
  if (answer.status < 300) return undefined;
  const url = options.url ?? answer.url;
  if (!URL.canParse(String(url))) throw new CliError("USAGE", "It is not known what was called.", { hint: "Say it in the option url." });
  const [token, body] =
    "clone" in answer ? [options.token ?? sentTokens.get(answer), await readCopy(answer)] : [options.token, answer.body];
  const headers = Object.fromEntries(new Headers(answer.headers as Record<string, string>));
  const error = await explain({ url: new URL(url), status: answer.status, headers, body }, token);
  if (!error) return undefined;
  const { code, message, hint, reason } = error;
  return {
    code,
    message,
    ...(hint !== undefined && { hint }),
    ...(reason !== undefined && { reason }),
  };
}

/** The same for an answer that is being read: gives a body in the place of the one that this takes. */
export async function explainResponse(answer: Answer, url: URL, token: string): Promise<{ refusal: CliError | undefined; body: Readable }> {
  const { status, headers } = answer;
  const isPage = (headers["content-type"] ?? "text/html").startsWith("text/html");
  if (!isPage) return { refusal: undefined, body: answer.body };
  const bytes = await answer.bytes();
  return {
    refusal: await explain({ url, status, headers, body: bytes.toString("utf8") }, token),
    body: Readable.from(bytes.length > 0 ? [bytes] : []),
  };
}

function explain(answer: { url: URL; status: number; headers: Readonly<Record<string, string>>; body: string }, token: string | undefined) {
  const sent = token === undefined ? [] : [["Authorization", `Bearer ${token}`] as const];
  return explainRefusal({ ...answer, sent, now: Date.now() });
}

async function readCopy(response: Response): Promise<string> {
  if (response.bodyUsed)
    throw new CliError("USAGE", "The response's body has been read already.", {
      hint: "Ask first, and read it then: what is asked reads a copy.",
    });
  const chunks: Uint8Array[] = [];
  const reader = response.clone().body?.getReader();
  for (let size = 0; reader && size < MAX_PAGE_BYTES;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.length;
  }
  // Without waiting: the copy's end is that of the original, which somebody has still to read.
  reader?.cancel().catch(() => {});
  return Buffer.concat(chunks).toString("utf8");
}

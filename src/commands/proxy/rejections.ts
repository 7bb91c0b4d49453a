import { explainRefusal } from "../../invoke/refusal/explain-refusal.ts";
import { responseAuthor, isFromIap } from "../../invoke/refusal/response-author.ts";
import type { EvidenceLookup } from "../../invoke/refusal/evidence.ts";
import type { CliError } from "../../errors/cli-error.ts";
import type { TokenSource } from "./token-source.ts";

/** A response that could come from Cloud Run instead of the service. */
export interface SuspectResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly path: string;
  readonly tokenHeader: string;
  readonly token: string;
}

/** Observes the body of a response while it is forwarded. */
interface BodyObserver {
  see(chunk: Buffer): void;
  /** The body is complete. */
  end(): void;
}

/** Explains rejected requests in the log; the responses stay unchanged. */
export interface Rejections {
  /** An observer for the body; undefined if the response is certainly the service's own. */
  observe(suspect: SuspectResponse): BodyObserver | undefined;
  /** True if the token was rejected, and a new one can succeed. */
  isStaleToken(suspect: SuspectResponse, body: Buffer): boolean;
  /** Logs a failure of the proxy itself, unless it was logged recently. */
  report(error: CliError): void;
}

interface RejectionsOptions {
  readonly service: URL;
  readonly principal: string | undefined;
  readonly tokens: Pick<TokenSource, "rejected">;
  readonly lookUpEvidence: EvidenceLookup;
  readonly report: (error: CliError) => void;
}

/** Bytes of a page that are read: Cloud Run's own pages are smaller. */
const MAX_PAGE_BYTES = 4096;
/** The time until the same message is logged again. */
const REPEAT_AFTER_MS = 10 * 60_000;

/** Looks for rejections by Cloud Run's front end and by Identity-Aware Proxy in responses. */
export function createRejections({ service, principal, tokens, lookUpEvidence, report }: RejectionsOptions): Rejections {
  const loggedAt = new Map<string, number>();
  const isNew = (key: string): boolean => {
    const now = Date.now();
    if (now - (loggedAt.get(key) ?? -Infinity) < REPEAT_AFTER_MS) return false;
    loggedAt.set(key, now);
    return true;
  };
  const callOf = ({ status, headers, path, tokenHeader, token }: SuspectResponse, body: string) => ({
    url: URL.canParse(path, service.origin) ? new URL(path, service.origin) : service,
    status,
    headers: joinHeaders(headers),
    body,
    sent: [[tokenHeader, `Bearer ${token}`] as const],
    principal,
    now: Date.now(),
  });
  const explain = async (suspect: SuspectResponse, body: string): Promise<void> => {
    const call = callOf(suspect, body);
    const author = responseAuthor(call);
    if (author === undefined) return;
    if (author === "front end" && suspect.status === 401) tokens.rejected(suspect.token);
    if (!isNew(`${author} ${suspect.status}`)) return;
    const error = await explainRefusal(call, lookUpEvidence);
    if (error) report(error);
  };

  return {
    observe(suspect) {
      const { status, headers } = suspect;
      const isPage = String(headers["content-type"] ?? "").startsWith("text/html");
      if (!(status >= 400 && (isPage || status === 401 || status === 504)) && headers["x-goog-iap-generated-response"] === undefined)
        return undefined;
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      return {
        see(chunk) {
          if (sizeBytes < MAX_PAGE_BYTES) chunks.push(Buffer.from(chunk));
          sizeBytes += chunk.length;
        },
        // The request succeeded already: a failure to explain it is ignored.
        end: () => void explain(suspect, Buffer.concat(chunks).toString("utf8", 0, MAX_PAGE_BYTES)).catch(() => {}),
      };
    },
    isStaleToken(suspect, body) {
      const call = callOf(suspect, body.toString("utf8", 0, MAX_PAGE_BYTES));
      return !isFromIap(call.headers) && responseAuthor(call) === "front end" && tokens.rejected(suspect.token);
    },
    report: (error) => void (isNew(error.message) && report(error)),
  };
}

function joinHeaders(headers: SuspectResponse["headers"]): Record<string, string> {
  const entries = Object.entries(headers).filter(([name, value]) => value !== undefined && !name.startsWith(":"));
  return Object.fromEntries(entries.map(([name, value]) => [name, [value].flat().join(", ")]));
}

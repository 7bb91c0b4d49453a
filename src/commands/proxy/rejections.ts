import { explainRefusal } from "../../invoke/refusal/explain-refusal.ts";
import { responseAuthor, isFromIap } from "../../invoke/refusal/response-author.ts";
import type { EvidenceLookup } from "../../invoke/refusal/evidence.ts";
import type { CliError } from "../../errors/cli-error.ts";
import type { TokenKeeper } from "./token-refresh.ts";

/** An answer that may be Cloud Run's and not the service's. */
export interface Suspect {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly path: string;
  readonly carrier: string;
  readonly token: string;
}

/** Sees an answer's body pass by. */
interface Witness {
  see(chunk: Buffer): void;
  /** The whole answer has been seen, or as much as is ever looked at. */
  end(): void;
}

/** Tells the reasons of refusals in the log; what is answered stays as it is. */
export interface Refusals {
  /** Somebody to show an answer's body to; undefined where the answer is the service's own beyond doubt. */
  watch(suspect: Suspect): Witness | undefined;
  /** True where it was the token that was refused, and the next one may do better. */
  isStale(suspect: Suspect, body: Buffer): boolean;
  /** Says once in a while that something failed here. */
  tell(error: CliError): void;
}

interface RefusalsOptions {
  readonly service: URL;
  readonly principal: string | undefined;
  readonly tokens: Pick<TokenKeeper, "refused">;
  readonly look: EvidenceLookup;
  readonly warn: (text: string) => void;
  readonly note: (text: string) => void;
}

/** Bytes of a page that are looked at: those of Cloud Run's are smaller. */
const MOST_SEEN = 4096;
/** Milliseconds in which the same is not told again. */
const QUIET = 10 * 60_000;

/** Watches answers for refusals of Cloud Run's front end and of Identity-Aware Proxy. */
export function createRefusals({ service, principal, tokens, look, warn, note }: RefusalsOptions): Refusals {
  const told = new Map<string, number>();
  const isNews = (key: string): boolean => {
    const now = Date.now();
    if (now - (told.get(key) ?? -Infinity) < QUIET) return false;
    told.set(key, now);
    return true;
  };
  const say = ({ code, message, hint }: CliError): void => {
    warn(`${message} [${code}]`);
    if (hint !== undefined) note(`hint: ${hint.replaceAll("cloudrun-oauth invoke", "cloudrun-oauth proxy")}`);
  };
  const callOf = ({ status, headers, path, carrier, token }: Suspect, body: string) => ({
    url: URL.canParse(path, service.origin) ? new URL(path, service.origin) : service,
    status,
    headers: joined(headers),
    body,
    sent: [[carrier, `Bearer ${token}`] as const],
    principal,
    now: Date.now(),
  });
  const consider = async (suspect: Suspect, body: string): Promise<void> => {
    const call = callOf(suspect, body);
    const author = responseAuthor(call);
    if (author === undefined) return;
    if (author === "front end" && suspect.status === 401) tokens.refused(suspect.token);
    if (!isNews(`${author} ${suspect.status}`)) return;
    const error = await explainRefusal(call, look);
    if (error) say(error);
  };

  return {
    watch(suspect) {
      const { status, headers } = suspect;
      const isPage = String(headers["content-type"] ?? "").startsWith("text/html");
      if (!(status >= 400 && (isPage || status === 401 || status === 504)) && headers["x-goog-iap-generated-response"] === undefined)
        return undefined;
      const chunks: Buffer[] = [];
      let size = 0;
      return {
        see(chunk) {
          if (size < MOST_SEEN) chunks.push(Buffer.from(chunk));
          size += chunk.length;
        },
        // To explain is no part of the request: what goes wrong with it is not said.
        end: () => void consider(suspect, Buffer.concat(chunks).toString("utf8", 0, MOST_SEEN)).catch(() => {}),
      };
    },
    isStale(suspect, body) {
      const call = callOf(suspect, body.toString("utf8", 0, MOST_SEEN));
      return !isFromIap(call.headers) && responseAuthor(call) === "front end" && tokens.refused(suspect.token);
    },
    tell: (error) => void (isNews(error.message) && say(error)),
  };
}

function joined(headers: Suspect["headers"]): Record<string, string> {
  const entries = Object.entries(headers).filter(([name, value]) => value !== undefined && !name.startsWith(":"));
  return Object.fromEntries(entries.map(([name, value]) => [name, [value].flat().join(", ")]));
}

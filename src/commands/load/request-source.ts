import type { CachedCredentials } from "../../auth/token-cache.ts";
import type { Call } from "../../invoke/request.ts";
import { hasHeader } from "../../invoke/headers.ts";
import { openTokenSource } from "../proxy/token-source.ts";
import type { Route } from "../../http/route.ts";

/** A request as it goes onto the wire, and the ID token in it. */
interface Prepared {
  readonly bytes: Buffer;
  readonly token: string;
}

/** The same request again and again, with a token that is good at that moment. */
export interface RequestSource {
  /** Rejects as the credentials do. */
  next(): Prepared | Promise<Prepared>;
  accepted(token: string): void;
  /** Whether a 401 was about the token, and the next one may do better. */
  refused(token: string, head: string): boolean;
  /** How many tokens there were. */
  tokens(): number;
  close(): void;
}

/** Cloud Run's front end, or Identity-Aware Proxy before it. A service's own 401 is not about the token: it never saw it. */
const ABOUT_TOKEN = /\r\n(?:www-authenticate:[ \t]*bearer error="invalid_token"|x-goog-iap-generated-response:[ \t]*true)/i;

/** Milliseconds: where each token is refused, a load of requests is not to become one of requests for tokens. */
const PAUSE = 5000;

const HAS_BODY = new Set(["POST", "PUT", "PATCH"]);

export function openRequestSource(
  call: Call & { readonly body: Buffer | undefined },
  { target }: Pick<Route, "target">,
  credentials: Pick<CachedCredentials, "accepted" | "fetchIdToken" | "rejected">,
): RequestSource {
  const tokenSource = openTokenSource(credentials, call.audience);
  const { before, after } = write(call, String(target.path));
  let prepared: Prepared | undefined;
  let tokens = 0;
  let dropped: string | undefined;
  let pausedUntil = 0;

  const prepare = (token: string): Prepared => {
    if (prepared?.token === token) return prepared;
    tokens += 1;
    prepared = { token, bytes: Buffer.concat([before, Buffer.from(token, "latin1"), after]) };
    return prepared;
  };

  return {
    next() {
      const token = tokenSource.get();
      return typeof token === "string" ? prepare(token) : token.then(prepare);
    },
    accepted: (token) => tokenSource.accepted(token),
    refused(token, head) {
      if (!ABOUT_TOKEN.test(head)) return false;
      // Of requests that were under way together, the first one has it renewed; the others find the new one.
      if (token !== prepared?.token || token === dropped) return true;
      const now = performance.now();
      if (now < pausedUntil) return false;
      pausedUntil = now + PAUSE;
      if (!tokenSource.rejected(token)) return false;
      dropped = token;
      return true;
    },
    tokens: () => tokens,
    close: () => tokenSource.close(),
  };
}

/** What goes before the token, and what after it. */
function write({ method, url, headers, tokenHeader, body }: Call & { readonly body: Buffer | undefined }, path: string) {
  const host = hasHeader(headers, "host") ? "" : `Host: ${url.host}\r\n`;
  const rest = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const length = body ? `Content-Length: ${body.length}\r\n` : HAS_BODY.has(method) ? "Content-Length: 0\r\n" : "";
  return {
    before: Buffer.from(`${method} ${path} HTTP/1.1\r\n${host}${tokenHeader}: Bearer `),
    after: Buffer.concat([Buffer.from(`\r\n${rest}${length}\r\n`), body ?? Buffer.alloc(0)]),
  };
}

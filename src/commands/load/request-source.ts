import type { CachedCredentials } from "../../auth/token-cache.ts";
import { hasHeader } from "../../invoke/headers.ts";
import { openTokenSource } from "../proxy/token-source.ts";
import type { RepeatableCall } from "./options.ts";
import type { Route } from "../../http/route.ts";

/** The bytes of a request, and the ID token in it. */
interface PreparedRequest {
  readonly bytes: Buffer;
  readonly token: string;
}

/** Repeats one request, with a token that is currently valid. */
export interface RequestSource {
  /** Rejects as the credentials do. */
  next(): PreparedRequest | Promise<PreparedRequest>;
  accepted(token: string): void;
  /** True if a 401 was about the token, and a new one can succeed. */
  rejected(token: string, head: string): boolean;
  /** The number of tokens that were used. */
  tokens(): number;
  close(): void;
}

/** A rejection by Cloud Run's front end or Identity-Aware Proxy. A service's own 401 isn't about the token, which it never saw. */
const TOKEN_REJECTION = /\r\n(?:www-authenticate:[ \t]*bearer error="invalid_token"|x-goog-iap-generated-response:[ \t]*true)/i;

/** If every token is rejected, new ones are requested no more often than this. */
const MIN_RENEWAL_INTERVAL_MS = 5000;

const METHODS_WITH_BODY = new Set(["POST", "PUT", "PATCH"]);

export function openRequestSource(
  call: RepeatableCall,
  { target }: Pick<Route, "target">,
  credentials: Pick<CachedCredentials, "accepted" | "fetchIdToken" | "rejected">,
): RequestSource {
  const tokenSource = openTokenSource(credentials, call.audience);
  const { before, after } = renderRequest(call, String(target.path));
  let prepared: PreparedRequest | undefined;
  let tokens = 0;
  let lastRejected: string | undefined;
  let nextRenewalAt = 0;

  const prepare = (token: string): PreparedRequest => {
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
    rejected(token, head) {
      if (!TOKEN_REJECTION.test(head)) return false;
      // Of concurrent requests, the first one renews the token; the others use the new one.
      if (token !== prepared?.token || token === lastRejected) return true;
      const now = performance.now();
      if (now < nextRenewalAt) return false;
      nextRenewalAt = now + MIN_RENEWAL_INTERVAL_MS;
      if (!tokenSource.rejected(token)) return false;
      lastRejected = token;
      return true;
    },
    tokens: () => tokens,
    close: () => tokenSource.close(),
  };
}

/** The bytes before the token, and those after it. */
function renderRequest({ method, url, headers, tokenHeader, body }: RepeatableCall, path: string) {
  const host = hasHeader(headers, "host") ? "" : `Host: ${url.host}\r\n`;
  const rest = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const length = body ? `Content-Length: ${body.length}\r\n` : METHODS_WITH_BODY.has(method) ? "Content-Length: 0\r\n" : "";
  return {
    before: Buffer.from(`${method} ${path} HTTP/1.1\r\n${host}${tokenHeader}: Bearer `),
    after: Buffer.concat([Buffer.from(`\r\n${rest}${length}\r\n`), body ?? Buffer.alloc(0)]),
  };
}

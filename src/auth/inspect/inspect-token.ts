import { nextStep, type NextStep } from "../../errors/next-step.ts";
import type { Send } from "../../http/request.ts";
import { isGcloudClientId } from "../audience.ts";
import { verifySignature, publicKeysFor } from "./verify-signature.ts";
import { memberForEmail } from "../member.ts";
import type { IdTokenClaims } from "../jwt.ts";
import { describeToken } from "./describe-token.ts";
import { fetchTokenInfo } from "./token-info.ts";
import type { ParsedToken, TokenKind } from "./token-kind.ts";

type ProblemCode =
  | "NO_TOKEN"
  | "NOT_GOOGLES"
  | "SIGNATURE_REMOVED"
  | "SIGNATURE_WRONG"
  | "EXPIRED"
  | "NOT_YET_VALID"
  | "REVOKED"
  | "WRONG_AUDIENCE";

/** Why a token isn't valid. */
interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
  readonly hint?: string;
  readonly next?: readonly NextStep[];
}

/** Everything about a token except the token itself. Keys are those of `--json`. */
export interface TokenReport {
  readonly kind: TokenKind;
  readonly valid: boolean;
  /** As policies name it; null if the token doesn't say. */
  readonly principal: string | null;
  /** What the token is, and what it can be used for. */
  readonly sentences: readonly string[];
  readonly problems: readonly Problem[];
  /** `verified` is null if the token has no signature that can be verified. */
  readonly signature: { readonly verified: boolean | null; readonly keys: string | null };
  /** `matches` is null if no audience is expected. */
  readonly audience: { readonly found: string | null; readonly expected: readonly string[]; readonly matches: boolean | null };
  /** RFC 3339. */
  readonly issued_at: string | null;
  readonly expires_at: string | null;
  /** How far the local clock is ahead; null if unknown. */
  readonly clock_skew_seconds: number | null;
  readonly header: object | null;
  readonly claims: object | null;
}

interface InspectOptions {
  readonly send: Send;
  /** The valid audiences; empty if they aren't known. */
  readonly audiences: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The Date header has whole seconds, and the response took time. */
const CLOCK_PRECISION_MS = 5000;

/** Checks a token with Google's help. Throws CliError UNAVAILABLE, TIMEOUT or as `send` does. */
export async function inspectToken(token: ParsedToken, { send, audiences, now }: InspectOptions): Promise<TokenReport> {
  const { kind, jwt, isForwarded } = token;
  const keys = isForwarded ? undefined : publicKeysFor(token);
  const check = keys && (await verifySignature(token, keys, send));
  const info = kind === "access_token" ? await fetchTokenInfo(token.text, send) : undefined;
  const claims = jwt?.claims ?? info?.claims;
  const googleTime = check?.googleTime ?? info?.googleTime;
  const skew = googleTime === undefined ? undefined : now - googleTime;
  // Google decides by its own clock.
  const time = googleTime !== undefined && Math.abs(now - googleTime) > CLOCK_PRECISION_MS ? googleTime : now;
  const expected = kind === "access_token" ? [] : audiences;
  const found = claims?.aud ?? null;
  const matches = expected.length === 0 ? null : expected.some((audience) => isSameAudience(found, audience, kind));
  const problems = [
    ...findFormProblems(token),
    ...(info && !info.claims ? [{ code: "REVOKED", message: "The access token has expired or was revoked." } as const] : []),
    ...findTimeProblems(claims, time),
    ...(check?.fault
      ? [{ code: "SIGNATURE_WRONG", message: `The signature is invalid: ${check.fault} (keys from ${keys?.url}).` } as const]
      : []),
    ...(matches === false ? [wrongAudience(found, expected)] : []),
  ];
  return {
    kind,
    valid: problems.length === 0,
    principal: claims?.email === undefined ? null : memberForEmail(claims.email),
    sentences: [...describeToken(token, claims)],
    problems,
    signature: { verified: check ? check.fault === undefined : null, keys: keys?.url ?? null },
    audience: { found, expected, matches },
    issued_at: formatTimestamp(claims?.iat),
    expires_at: formatTimestamp(claims?.exp),
    clock_skew_seconds: skew === undefined ? null : Math.round(skew / 1000),
    header: jwt?.header ?? null,
    claims: claims ?? null,
  };
}

function* findFormProblems({ kind, isForwarded, jwt }: ParsedToken): Generator<Problem> {
  if (kind === "unknown") yield { code: "NO_TOKEN", message: "Not a Google token: expected a JWT or an access token." };
  if (kind === "refresh_token") yield { code: "NO_TOKEN", message: "This is a refresh token, which no service accepts." };
  if (kind === "foreign_token")
    yield { code: "NOT_GOOGLES", message: `The token was issued by ${jwt?.claims.iss ?? "an unknown issuer"}, not by Google.` };
  if (isForwarded)
    yield {
      code: "SIGNATURE_REMOVED",
      message: "Cloud Run removed the signature before forwarding the token, so it can't be verified or used again.",
      hint: "To call another service, use a token for the service's own account, from its metadata server.",
    };
}

function* findTimeProblems({ iat, exp }: IdTokenClaims = {}, now: number): Generator<Problem> {
  if (typeof exp === "number" && exp * 1000 <= now)
    yield { code: "EXPIRED", message: `The token expired at ${formatTimestamp(exp)}.`, next: [nextStep("To get a new token", "token")] };
  // Google tolerates a minute of clock skew.
  if (typeof iat === "number" && iat * 1000 > now + 60_000)
    yield {
      code: "NOT_YET_VALID",
      message: `The token isn't valid until ${formatTimestamp(iat)}.`,
      hint: "The clock on the computer that created it might be wrong.",
    };
}

function wrongAudience(found: string | null, expected: readonly string[]): Problem {
  return {
    code: "WRONG_AUDIENCE",
    message: `Wrong audience: the token is for ${found ?? "no audience"}, not for ${expected.join(" or ")}.`,
    next: [nextStep("To get a token for this audience", "token", "--audience", expected[0] ?? "")],
  };
}

function isSameAudience(found: string | null, expected: string, kind: TokenKind): boolean {
  if (found === null) return false;
  return found === expected || found === `${expected}/` || (kind === "id_token" && isGcloudClientId(found));
}

/** RFC 3339, from seconds since the epoch; null if the value isn't a time. */
function formatTimestamp(seconds: unknown): string | null {
  if (typeof seconds !== "number" || Math.abs(seconds) > 8.64e12) return null;
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

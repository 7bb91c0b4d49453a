import type { IdTokenClaims } from "../jwt.ts";

/** What goes for a token at Google. An assertion is what is exchanged for a token; a foreign token is signed by somebody else. */
export type TokenKind =
  | "id_token"
  | "iap_assertion"
  | "firebase_token"
  | "self_signed_token"
  | "assertion"
  | "foreign_token"
  | "access_token"
  | "refresh_token"
  | "unknown";

export interface ParsedToken {
  readonly kind: TokenKind;
  readonly text: string;
  /** Of a JWT; nothing of it is verified. */
  readonly jwt?: { readonly header: Readonly<Record<string, unknown>>; readonly claims: IdTokenClaims };
  /** True where Cloud Run has put `SIGNATURE_REMOVED_BY_GOOGLE` in the signature's place, before it passed the token on. */
  readonly isForwarded: boolean;
}

const KINDS_BY_ISSUER: readonly (readonly [RegExp, TokenKind])[] = [
  [/^(?:https:\/\/)?accounts\.google\.com$/, "id_token"],
  [/^https:\/\/cloud\.google\.com\/iap$/, "iap_assertion"],
  [/^https:\/\/securetoken\.google\.com\//, "firebase_token"],
];

/** Tells a token by its form and its issuer; blanks around it, and what an HTTP header has before it, are left out. */
export function parseToken(given: string): ParsedToken {
  const text = given.trim().replace(/^(?:[\w-]+:\s*)?Bearer\s+/i, "");
  const jwt = readJwt(text);
  if (jwt) return { kind: kindOf(jwt.claims), text, jwt, isForwarded: text.endsWith(".SIGNATURE_REMOVED_BY_GOOGLE") };
  const kind = /^ya29\.[\w.-]+$/.test(text) ? "access_token" : /^1\/\/[\w-]{20,}$/.test(text) ? "refresh_token" : "unknown";
  return { kind, text, isForwarded: false };
}

function kindOf({ iss = "", aud = "", target_audience: target }: IdTokenClaims): TokenKind {
  const [, kind] = KINDS_BY_ISSUER.find(([issuer]) => issuer.test(iss)) ?? [];
  if (kind) return kind;
  if (!iss.endsWith(".gserviceaccount.com")) return "foreign_token";
  // https://developers.google.com/identity/protocols/oauth2/service-account and https://google.aip.dev/auth/4111 differ in whom they are for.
  return target !== undefined || aud.endsWith("/token") ? "assertion" : "self_signed_token";
}

/** RFC 7515, section 7.1. */
function readJwt(text: string): ParsedToken["jwt"] {
  const [header, claims, signature, ...more] = text.split(".");
  if (signature === undefined || more.length > 0) return undefined;
  const [first, second] = [readObject(header), readObject(claims)];
  if (!first || !second) return undefined;
  // Who wrote a token may have put anything into it; what is no text is not there.
  const texts = ["iss", "aud", "azp", "sub", "email"].map((name) => [name, typeof second[name] === "string" ? second[name] : undefined]);
  return { header: first, claims: { ...second, ...Object.fromEntries(texts) } };
}

function readObject(segment = ""): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(segment, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

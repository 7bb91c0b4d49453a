import { decodeJwt, isSignatureRemoved, type IdTokenClaims, type Jwt } from "../jwt.ts";

/** The kinds of token at Google. An assertion is exchanged for a token; a foreign token has another issuer than Google. */
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
  /** Set if the token is a JWT; it isn't verified. */
  readonly jwt?: Pick<Jwt, "header" | "claims">;
  /** True if Cloud Run has removed the signature before it forwarded the token. */
  readonly isForwarded: boolean;
}

const KINDS_BY_ISSUER: readonly (readonly [RegExp, TokenKind])[] = [
  [/^(?:https:\/\/)?accounts\.google\.com$/, "id_token"],
  [/^https:\/\/cloud\.google\.com\/iap$/, "iap_assertion"],
  [/^https:\/\/securetoken\.google\.com\//, "firebase_token"],
];

/** Recognizes a token by its form and its issuer. Whitespace around it and an HTTP header's name and scheme before it are ignored. */
export function parseToken(input: string): ParsedToken {
  const text = input.trim().replace(/^(?:[\w-]+:\s*)?Bearer\s+/i, "");
  const jwt = decodeJwt(text);
  if (jwt) {
    const { header } = jwt;
    const claims = withoutMistypedTexts(jwt.claims);
    return { kind: kindOf(claims), text, jwt: { header, claims }, isForwarded: isSignatureRemoved(jwt) };
  }
  const kind = /^ya29\.[\w.-]+$/.test(text) ? "access_token" : /^1\/\/[\w-]{20,}$/.test(text) ? "refresh_token" : "unknown";
  return { kind, text, isForwarded: false };
}

function kindOf({ iss = "", aud = "", target_audience: targetAudience }: IdTokenClaims): TokenKind {
  const [, kind] = KINDS_BY_ISSUER.find(([issuer]) => issuer.test(iss)) ?? [];
  if (kind) return kind;
  if (!iss.endsWith(".gserviceaccount.com")) return "foreign_token";
  // https://developers.google.com/identity/protocols/oauth2/service-account and https://google.aip.dev/auth/4111 have different audiences.
  return targetAudience !== undefined || aud.endsWith("/token") ? "assertion" : "self_signed_token";
}

/** The sender of a token can put anything into its claims. */
function withoutMistypedTexts(claims: IdTokenClaims): IdTokenClaims {
  const texts = ["iss", "aud", "azp", "sub", "email"].map((name) => [name, typeof claims[name] === "string" ? claims[name] : undefined]);
  return { ...claims, ...Object.fromEntries(texts) };
}

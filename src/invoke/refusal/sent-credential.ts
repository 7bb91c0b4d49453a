import { decodeJwt, isSignatureRemoved, type IdTokenClaims } from "../../auth/jwt.ts";

/** A request's credential, as Cloud Run's front end reads it. */
export interface SentCredential {
  /** How many credentials the header has. */
  readonly count: number;
  /** The name of the header that counts. */
  readonly header: string;
  /** The scheme, such as `Bearer`, as it was sent. */
  readonly scheme: string;
  readonly token: string | undefined;
  readonly claims: IdTokenClaims | undefined;
  /** True if Cloud Run has removed the token's signature. */
  readonly isForwarded: boolean;
}

/**
 * Reads the credential of a request's headers: X-Serverless-Authorization, or else Authorization.
 * https://cloud.google.com/run/docs/authenticating/service-to-service#acquire-token
 */
export function readSentCredential(sent: readonly (readonly [string, string])[]): SentCredential {
  const named = (name: string) => sent.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value.trim());
  const serverless = named("x-serverless-authorization");
  const values = serverless.length > 0 ? serverless : named("authorization");
  const [, scheme = "", rest = ""] = /^(\S+)\s*(.*)$/.exec(values[0] ?? "") ?? [];
  const token = /^bearer$/i.test(scheme) && values.length === 1 ? rest : undefined;
  const jwt = token === undefined ? undefined : decodeJwt(token);
  return {
    // RFC 9110, section 5.3: a list in one header is equivalent to several headers.
    count: values.length === 1 && rest.includes(",") && /^bearer$/i.test(scheme) ? rest.split(",").length : values.length,
    header: serverless.length > 0 ? "X-Serverless-Authorization" : "Authorization",
    scheme,
    token,
    claims: jwt && withKnownTypes(jwt.claims),
    isForwarded: jwt !== undefined && isSignatureRemoved(jwt),
  };
}

/** The claims with the expected type: the token can be from anyone. */
function withKnownTypes(claims: IdTokenClaims): IdTokenClaims {
  const texts = ["iss", "aud", "email"].filter((name) => typeof claims[name] === "string");
  const times = ["iat", "exp"].filter((name) => Math.abs(Number(claims[name])) < MAX_DATE_SECONDS && typeof claims[name] === "number");
  return Object.fromEntries([...texts, ...times].map((name) => [name, claims[name]]));
}

/** ECMA-262, section 21.4.1.1. */
const MAX_DATE_SECONDS = 8_640_000_000_000;

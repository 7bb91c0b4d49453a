import { createLocalJWKSet, decodeJwt, errors, jwtVerify, type JSONWebKeySet, type JWTPayload } from "jose";
import { OAuthError } from "../server/errors.ts";
import { providerName } from "../iam/pools.ts";
import type { WorkloadIdentityProvider } from "../state/resources.ts";
import type { Runtime } from "../runtime.ts";
import { fetchIssuerKeys } from "./issuer-keys.ts";

const ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"];

/** Verifies an OpenID Connect token and returns its claims. Throws OAuthError in Google's words for the first problem. */
export async function verifyCredential(
  token: string,
  provider: WorkloadIdentityProvider,
  runtime: Pick<Runtime, "signingKeys" | "now">,
): Promise<JWTPayload> {
  const { issuerUri, allowedAudiences = [], jwksJson } = provider.oidc;
  const audience = allowedAudiences.length > 0 ? [...allowedAudiences] : defaultAudiences(provider);
  const { iss, iat } = decode(token);
  // Never ask an issuer about another issuer's tokens.
  if (iss !== issuerUri)
    throw new OAuthError("invalid_grant", `The issuer in ID Token ${String(iss)} does not match the expected ones: ${issuerUri}`);
  const keys = jwksJson ? (JSON.parse(jwksJson) as JSONWebKeySet) : await fetchIssuerKeys(issuerUri, runtime);
  try {
    const options = {
      algorithms: ALGORITHMS,
      issuer: issuerUri,
      audience,
      requiredClaims: ["iat", "exp"],
      currentDate: new Date(runtime.now()),
    };
    return (await jwtVerify(token, createLocalJWKSet(keys), options)).payload;
  } catch (error) {
    throw explain(error, iat);
  }
}

function decode(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch {
    throw new OAuthError("invalid_grant", "Unable to parse the ID Token.");
  }
}

function explain(error: unknown, iat: number | undefined): OAuthError {
  if (error instanceof errors.JWTExpired) return new OAuthError("invalid_grant", `ID Token issued at ${iat} is stale to sign-in.`);
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim !== "aud") return new OAuthError("invalid_grant", `Invalid ID Token: ${error.message}.`);
    const audience = JSON.stringify(error.payload.aud);
    return new OAuthError("invalid_grant", `The audience in ID Token ${audience} does not match the expected audience.`);
  }
  return new OAuthError("invalid_grant", "Unable to verify the ID Token signature.");
}

/** The audiences that a provider accepts if it names none. */
function defaultAudiences(provider: WorkloadIdentityProvider): string[] {
  return ["https:", ""].map((scheme) => `${scheme}//iam.googleapis.com/${providerName(provider)}`);
}

import { X509Certificate, type KeyObject } from "node:crypto";
import { OAuthError } from "../server/errors.ts";
import type { ServiceAccount } from "../state/resources.ts";
import type { TokenRuntime } from "../runtime.ts";
import { isSignedBy, parseJwt, type Jwt } from "./jwt.ts";

/** The token endpoint's names. */
const AUDIENCES: readonly unknown[] = [
  "https://oauth2.googleapis.com/token",
  "https://www.googleapis.com/oauth2/v4/token",
  "https://www.googleapis.com/oauth2/v3/token",
  "https://accounts.google.com/o/oauth2/token",
];
const MAX_LIFETIME_SECONDS = 3600;
/** How far the caller's clock can be ahead. */
const MAX_CLOCK_SKEW_SECONDS = 60;

const UNREASONABLE =
  "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.";

/** What a valid assertion requests: an ID token for an audience, or an access token with scopes. */
export interface Assertion {
  readonly account: ServiceAccount;
  readonly request: { readonly audience: string } | { readonly scopes: readonly string[] };
}

/**
 * Checks an assertion (RFC 7523, section 3) in the same order as Google:
 * https://developers.google.com/identity/protocols/oauth2/service-account Throws OAuthError in Google's words for the first problem.
 */
export async function verifyAssertion(assertion: string, runtime: TokenRuntime): Promise<Assertion> {
  // RFC 7515 forbids padding, but Google accepts it: google-auth for Python padded until 1.6.3.
  const jwt = parseJwt(assertion, { allowPadding: true });
  if (!jwt) throw new OAuthError("invalid_request", "Bad Request");
  const account = await verifySignature(jwt, runtime);
  if (account.disabled) throw new OAuthError("invalid_grant", "Robot is disabled.");
  checkTimes(jwt, runtime.now() / 1000);
  const request = parseRequest(jwt);
  if (!AUDIENCES.includes(jwt.claims["aud"])) throw new OAuthError("invalid_grant", "Invalid JWT: Failed audience check.");
  checkSubject(jwt, account);
  return { account, request };
}

async function verifySignature(jwt: Jwt, runtime: TokenRuntime): Promise<ServiceAccount> {
  if (jwt.header["alg"] !== "RS256") throw new OAuthError("invalid_grant", "Invalid JWT Signature.");
  const { iss } = jwt.claims;
  const account = typeof iss === "string" ? runtime.state.serviceAccounts.get(iss) : undefined;
  if (!account) throw new OAuthError("invalid_grant", "Invalid grant: account not found");
  for (const key of await keysOf(account, jwt.header["kid"], runtime)) if (isSignedBy(jwt, key)) return account;
  throw new OAuthError("invalid_grant", "Invalid JWT Signature.");
}

/** The public keys to try: the one that the header names, or all of the account's if it names none. */
async function keysOf(account: ServiceAccount, kid: unknown, { state, signingKeys, now }: TokenRuntime): Promise<KeyObject[]> {
  const userManagedKeys = state.keys
    .list(`${account.email}/`)
    .filter(
      ({ keyId, disabled, validBeforeTime }) => (kid === undefined || kid === keyId) && !disabled && Date.parse(validBeforeTime) > now(),
    )
    .map(({ certificate }) => new X509Certificate(certificate).publicKey);
  const managed = await signingKeys.existingAccountKey(account.uniqueId);
  return managed && (kid === undefined || kid === managed.keyId) ? [...userManagedKeys, managed.publicKey] : userManagedKeys;
}

function checkTimes({ claims }: Jwt, now: number): void {
  const [iat, exp] = [readSeconds(claims["iat"]), readSeconds(claims["exp"])];
  if (iat === undefined) throw new OAuthError("invalid_grant", "Invalid JWT: iat (issued at) is not set.");
  if (exp === undefined) throw new OAuthError("invalid_grant", "Invalid JWT: exp (expiration time) is not set.");
  if (exp <= now || exp <= iat || exp - iat > MAX_LIFETIME_SECONDS || iat > now + MAX_CLOCK_SKEW_SECONDS)
    throw new OAuthError("invalid_grant", UNREASONABLE);
}

/** Google accepts decimal digits in a string as a number. */
function readSeconds(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

function parseRequest({ claims }: Jwt): Assertion["request"] {
  const { target_audience: audience, scope } = claims;
  if (typeof audience === "string" && audience !== "") return { audience };
  const scopes = typeof scope === "string" ? scope.split(/\s+/).filter(Boolean) : [];
  if (scopes.length > 0 && scopes.every(isScope)) return { scopes };
  // Google takes a single unknown scope as an ID token's audience.
  if (scopes.length === 1 && URL.canParse(scopes[0] as string)) return { audience: scopes[0] as string };
  throw new OAuthError("invalid_scope", "Invalid OAuth scope or ID token audience provided.");
}

/** Whether Google has a scope: https://developers.google.com/identity/protocols/oauth2/scopes */
export function isScope(scope: string): boolean {
  return /^https:\/\/www\.googleapis\.com\/auth\/[\w.-]+(\/[\w.-]+)*$|^(openid|email|profile|https:\/\/mail\.google\.com\/)$/.test(scope);
}

function checkSubject({ claims: { sub } }: Jwt, account: ServiceAccount): void {
  if (sub === undefined || sub === account.email) return;
  throw new OAuthError(
    "unauthorized_client",
    "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.",
    401,
  );
}

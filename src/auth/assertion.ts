import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { CliError } from "../errors/cli-error.ts";
import { COPY_KEY_HINT } from "./private-key.ts";
import { createKeyStep, type ServiceAccountKey } from "./service-account-key.ts";

/** What the assertion is exchanged for: an ID token for an audience, or an access token with scopes (separated by spaces). */
export type RequestedToken = { readonly target_audience: string } | { readonly scope: string };

/** Google's maximum. */
const LIFETIME_SECONDS = 3600;

/**
 * Signs the assertion that a token endpoint exchanges for a token: RFC 7523, section 3, with the same claims as Google's libraries. Like
 * them, it has no `sub`, which would be a user to impersonate through domain-wide delegation.
 * https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests
 * `now` is in seconds since the epoch. Throws CliError CREDENTIALS_INVALID if the key is damaged in a way that only shows when it signs.
 */
export function createAssertion(key: ServiceAccountKey, token: RequestedToken, now: number): string {
  const { client_email, private_key, private_key_id, token_uri } = key;
  const iat = Math.floor(now);
  const header = { alg: "RS256", typ: "JWT", kid: private_key_id };
  const claims = { iss: client_email, aud: token_uri, iat, exp: iat + LIFETIME_SECONDS, ...token };
  const signed = `${encodeSegment(header)}.${encodeSegment(claims)}`;
  const signature = signAndVerify(Buffer.from(signed), private_key);
  if (!signature) {
    throw new CliError("CREDENTIALS_INVALID", `The private key for ${client_email} is corrupted: its signatures can't be verified.`, {
      hint: COPY_KEY_HINT,
      next: [createKeyStep(client_email)],
      reason: "PRIVATE_KEY_BROKEN",
    });
  }
  return `${signed}.${signature.toString("base64url")}`;
}

/** A damaged key signs without an error; the token endpoint would report such a signature as a deleted key. */
function signAndVerify(data: Buffer, key: KeyObject): Buffer | undefined {
  try {
    const signature = sign("sha256", data, key);
    return verify("sha256", data, createPublicKey(key), signature) ? signature : undefined;
  } catch {
    return undefined;
  }
}

function encodeSegment(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

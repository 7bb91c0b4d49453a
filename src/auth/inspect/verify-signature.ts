import type { JSONWebKeySet } from "jose";
import { CliError } from "../../errors/cli-error.ts";
import type { Response, Send } from "../../http/client.ts";
import type { ParsedToken } from "./token-kind.ts";

/** Whether a token is signed by whom it says, and Google's time when that was asked. */
export interface SignatureCheck {
  /** Why it is not; undefined where it is. */
  readonly fault: string | undefined;
  /** Milliseconds since the epoch; undefined where the answer did not say. */
  readonly googleTime: number | undefined;
}

/** Milliseconds. */
const TIMEOUT = 30_000;

/** Where the public keys for a token are, as a JWK set (RFC 7517, section 5), and the algorithm that it is signed by; undefined where Google has none. */
export function publicKeysFor({ kind, jwt }: ParsedToken): { readonly url: string; readonly algorithm: string } | undefined {
  const account = encodeURIComponent(jwt?.claims.iss ?? "");
  switch (kind) {
    case "id_token":
      return { url: "https://www.googleapis.com/oauth2/v3/certs", algorithm: "RS256" };
    // https://cloud.google.com/iap/docs/signed-headers-howto
    case "iap_assertion":
      return { url: "https://www.gstatic.com/iap/verify/public_key-jwk", algorithm: "ES256" };
    // https://firebase.google.com/docs/auth/admin/verify-id-tokens
    case "firebase_token":
      return {
        url: "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
        algorithm: "RS256",
      };
    case "self_signed_token":
    case "assertion":
      return { url: `https://www.googleapis.com/service_accounts/v1/jwk/${account}`, algorithm: "RS256" };
    default:
      return undefined;
  }
}

/** Verifies a JWT with the keys at a URL. Throws CliError UNAVAILABLE, TIMEOUT or as `send` does where they are not to be had. */
export async function verifySignature(
  { text, jwt }: ParsedToken,
  { url, algorithm }: { readonly url: string; readonly algorithm: string },
  send: Send,
): Promise<SignatureCheck> {
  const answer = await send({ method: "GET", url, timeout: TIMEOUT });
  const googleTime = googleTimeOf(answer);
  const body = await answer.text();
  if (answer.status === 404) return { fault: `there is no account ${jwt?.claims.iss ?? ""}, or none any more`, googleTime };
  const keys = answer.status === 200 ? readKeys(body) : undefined;
  if (!keys) throw new CliError("UNAVAILABLE", `${new URL(url).host} answered ${answer.status}, and not with public keys.`);

  const [{ compactVerify }, { createLocalJWKSet }] = await Promise.all([import("jose/jws/compact/verify"), import("jose/jwks/local")]);
  try {
    await compactVerify(text, createLocalJWKSet(keys), { algorithms: [algorithm] });
    return { fault: undefined, googleTime };
  } catch (error) {
    return { fault: FAULTS[(error as { code?: string }).code ?? ""] ?? "it is not a signature of theirs", googleTime };
  }
}

/** By the codes of https://github.com/panva/jose/blob/main/docs/util/errors/README.md */
const FAULTS: Readonly<Record<string, string>> = {
  ERR_JWKS_NO_MATCHING_KEY: "none of the keys there has the id that the token names: the key is gone, or never was",
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: "it does not name the key",
  ERR_JOSE_ALG_NOT_ALLOWED: "it is by an algorithm that Google's tokens do not have",
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "the token was changed, or signed by another key",
};

/** A date that a cache has kept is as old as the answer: RFC 9111, section 5.1. */
export function googleTimeOf({ headers }: Pick<Response, "headers">): number | undefined {
  const time = Date.parse(headers["date"] ?? "") + 1000 * Number(headers["age"] ?? 0);
  return Number.isNaN(time) ? undefined : time;
}

function readKeys(text: string): JSONWebKeySet | undefined {
  try {
    const value = JSON.parse(text) as JSONWebKeySet;
    return Array.isArray(value.keys) ? value : undefined;
  } catch {
    return undefined;
  }
}

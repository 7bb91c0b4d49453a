import type { KeyObject } from "node:crypto";
import { CliError } from "../../errors/cli-error.ts";
import type { Response, Send } from "../../http/request.ts";
import { fetchPublicKeys, ID_TOKEN_KEYS_URL, type PublicKeys } from "../google-public-keys.ts";
import { isSignedWith } from "../jwt.ts";
import type { ParsedToken } from "./token-kind.ts";

/** Whether a token is signed by its issuer, and Google's time at the check. */
export interface SignatureCheck {
  /** Why the signature isn't valid; undefined if it is. */
  readonly fault: string | undefined;
  /** Milliseconds since the epoch; undefined if the response has no date. */
  readonly googleTime: number | undefined;
}

/** Public keys and the algorithm of the tokens that they verify (RFC 7518, section 3). */
interface KeySource {
  readonly url: string;
  readonly algorithm: "RS256" | "ES256";
}

/** The public keys for a token, as a JWK set (RFC 7517, section 5); undefined if Google publishes none. */
export function publicKeysFor({ kind, jwt }: ParsedToken): KeySource | undefined {
  const account = encodeURIComponent(jwt?.claims.iss ?? "");
  switch (kind) {
    case "id_token":
      return { url: ID_TOKEN_KEYS_URL, algorithm: "RS256" };
    // https://cloud.google.com/iap/docs/signed-headers-howto
    case "iap_assertion":
      return { url: "https://www.gstatic.com/iap/verify/public_key-jwk", algorithm: "ES256" };
    // https://firebase.google.com/docs/auth/admin/verify-id-tokens
    case "firebase_token":
      return { url: "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com", algorithm: "RS256" };
    case "self_signed_token":
    case "assertion":
      return { url: `https://www.googleapis.com/service_accounts/v1/jwk/${account}`, algorithm: "RS256" };
    default:
      return undefined;
  }
}

/** Verifies a JWT with published keys. Throws CliError UNAVAILABLE, TIMEOUT or as `send` does if the keys can't be fetched. */
export async function verifySignature(token: ParsedToken, { url, algorithm }: KeySource, send: Send): Promise<SignatureCheck> {
  const { response, keys } = await fetchPublicKeys(url, send);
  const googleTime = googleTimeOf(response);
  if (response.status === 404) return { fault: `the account ${token.jwt?.claims.iss ?? ""} doesn't exist`, googleTime };
  if (!keys) throw new CliError("UNAVAILABLE", `${new URL(url).host} returned ${response.status} instead of public keys.`);
  return { fault: findFault(token, keys, algorithm), googleTime };
}

function findFault({ text, jwt }: ParsedToken, keys: PublicKeys, algorithm: KeySource["algorithm"]): string | undefined {
  const { alg, kid, crit } = jwt?.header ?? {};
  // RFC 8725, section 3.1: never the algorithm that the token itself names.
  if (alg !== algorithm) return "Google's tokens use another algorithm";
  // RFC 7515, section 4.1.11: no extension is supported.
  if (crit !== undefined) return "Google's tokens have no such extension";
  if (typeof kid !== "string") return "the token doesn't name its key";
  const key: KeyObject | undefined = keys.get(kid);
  if (key?.asymmetricKeyType !== (algorithm === "RS256" ? "rsa" : "ec")) return "its key ID is unknown";
  return isSignedWith(key, text) ? undefined : "the token was changed, or signed with another key";
}

/** The Date header. A cached response is older by its Age: RFC 9111, section 5.1. */
export function googleTimeOf({ headers }: Pick<Response, "headers">): number | undefined {
  const time = Date.parse(headers["date"] ?? "") + 1000 * Number(headers["age"] ?? 0);
  return Number.isNaN(time) ? undefined : time;
}

import { createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { CliError } from "../errors/cli-error.ts";
import type { Response, Send } from "../http/request.ts";

/** https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken */
export const ID_TOKEN_KEYS_URL = "https://www.googleapis.com/oauth2/v3/certs";

const TIMEOUT_MS = 10_000;
const DEFAULT_LIFETIME_MS = 3_600_000;
/** An unknown key ID makes the keys be fetched again, but not for every token that someone makes up. */
const REFETCH_PAUSE_MS = 30_000;

/** Public keys by their ID. */
export type PublicKeys = ReadonlyMap<string, KeyObject>;

interface KeySet {
  readonly keys: PublicKeys;
  /** Milliseconds since the epoch. */
  readonly fetched: number;
  readonly expires: number;
}

/** Finds the key that Google signs ID tokens with by its ID; undefined if Google has no key with that ID. */
export type FindKey = (kid: string) => Promise<KeyObject | undefined>;

/**
 * Google's public keys for ID tokens, fetched when first needed and cached for as long as Google's Cache-Control says. The function that
 * it returns throws CliError UNAVAILABLE or TIMEOUT if the keys can't be fetched.
 */
export function openGoogleKeys(send: Send, now: () => number = Date.now): FindKey {
  let cached: KeySet | undefined;
  let pending: Promise<KeySet> | undefined;

  const fetchKeySet = (): Promise<KeySet> =>
    (pending ??= readKeySet(send, now)
      .then((set) => (cached = set))
      .finally(() => (pending = undefined)));

  return async (kid) => {
    const set = cached && now() < cached.expires ? cached : await fetchKeySet();
    const key = set.keys.get(kid);
    if (key || now() - set.fetched < REFETCH_PAUSE_MS) return key;
    return (await fetchKeySet()).keys.get(kid);
  };
}

/** Fetches a JWK set (RFC 7517, section 5): the response, and its keys if it is one. Throws as `send` does. */
export async function fetchPublicKeys(url: string, send: Send): Promise<{ response: Response; keys: PublicKeys | undefined }> {
  const response = await send({ method: "GET", url, timeoutMs: TIMEOUT_MS });
  const text = await response.text();
  return { response, keys: response.status === 200 ? parseKeys(text) : undefined };
}

async function readKeySet(send: Send, now: () => number): Promise<KeySet> {
  const { response, keys } = await fetchPublicKeys(ID_TOKEN_KEYS_URL, send);
  if (!keys) {
    throw new CliError("UNAVAILABLE", `Can't fetch Google's public keys: ${new URL(ID_TOKEN_KEYS_URL).host} returned ${response.status}.`, {
      details: { url: ID_TOKEN_KEYS_URL, status_code: response.status },
    });
  }
  const fetched = now();
  return { keys, fetched, expires: fetched + lifetimeMsOf(response) };
}

/** RFC 9111, section 5.2.2.1. */
function lifetimeMsOf({ headers }: Response): number {
  const [, seconds] = /\bmax-age=(\d+)/i.exec(headers["cache-control"] ?? "") ?? [];
  return seconds === undefined ? DEFAULT_LIFETIME_MS : Number(seconds) * 1000;
}

function parseKeys(text: string): PublicKeys | undefined {
  try {
    const { keys } = JSON.parse(text) as { readonly keys: readonly (JsonWebKey & { readonly kid?: string })[] };
    return new Map(
      keys.flatMap(({ kid = "", ...key }) =>
        key.kty === "RSA" || key.kty === "EC" ? [[kid, createPublicKey({ key, format: "jwk" })]] : [],
      ),
    );
  } catch {
    return undefined;
  }
}

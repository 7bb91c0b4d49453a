import { createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { CliError } from "../errors/cli-error.ts";
import type { Response, Send } from "../http/client.ts";

/** https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken */
const CERTS = "https://www.googleapis.com/oauth2/v3/certs";

/** Milliseconds. */
const TIMEOUT = 10_000;
const HOUR = 3_600_000;
/** A key id that is not known is looked for again, though not for every token that somebody makes up. */
const PAUSE = 30_000;

interface KeySet {
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Milliseconds since the epoch. */
  readonly fetched: number;
  readonly expires: number;
}

/** Finds the key that Google signs ID tokens with by its id; undefined where Google has none of that id. */
export type FindKey = (kid: string) => Promise<KeyObject | undefined>;

/**
 * Google's public keys (RFC 7517, section 5), fetched when they are first asked for and kept for as long as Google's Cache-Control says.
 * What it gives throws CliError UNAVAILABLE or TIMEOUT where they cannot be had.
 */
export function openGoogleKeys(send: Send, now: () => number = Date.now): FindKey {
  let kept: KeySet | undefined;
  let coming: Promise<KeySet> | undefined;

  const fetchKeys = (): Promise<KeySet> =>
    (coming ??= readKeys(send, now)
      .then((set) => (kept = set))
      .finally(() => (coming = undefined)));

  return async (kid) => {
    const set = kept && now() < kept.expires ? kept : await fetchKeys();
    const key = set.keys.get(kid);
    if (key || now() - set.fetched < PAUSE) return key;
    return (await fetchKeys()).keys.get(kid);
  };
}

async function readKeys(send: Send, now: () => number): Promise<KeySet> {
  const answer = await send({ method: "GET", url: CERTS, timeout: TIMEOUT });
  const keys = answer.status === 200 ? parseKeys(await answer.text()) : undefined;
  if (!keys) {
    answer.body.destroy();
    throw new CliError("UNAVAILABLE", `Google's public keys cannot be had: ${new URL(CERTS).host} answered ${answer.status}.`, {
      details: { url: CERTS, status_code: answer.status },
    });
  }
  const fetched = now();
  return { keys, fetched, expires: fetched + lifetimeOf(answer) };
}

/** RFC 9111, section 5.2.2.1; milliseconds. */
function lifetimeOf({ headers }: Response): number {
  const [, seconds] = /\bmax-age=(\d+)/i.exec(headers["cache-control"] ?? "") ?? [];
  return seconds === undefined ? HOUR : Number(seconds) * 1000;
}

function parseKeys(text: string): ReadonlyMap<string, KeyObject> | undefined {
  try {
    const { keys } = JSON.parse(text) as { readonly keys: readonly (JsonWebKey & { readonly kid?: string })[] };
    return new Map(
      keys.flatMap(({ kid, kty, n, e }) => (kty === "RSA" && kid ? [[kid, createPublicKey({ key: { kty, n, e }, format: "jwk" })]] : [])),
    );
  } catch {
    return undefined;
  }
}

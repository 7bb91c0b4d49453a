import { setTimeout as sleep } from "node:timers/promises";
import { fetchAccessTokenWithKey } from "../../auth/service-account-tokens.ts";
import { parseServiceAccountKey, type ServiceAccountKey } from "../../auth/service-account-key.ts";
import type { AccountName } from "../../cloud/accounts.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import type { KeyFilePlace } from "./key-file-place.ts";

interface Keeping {
  readonly place: KeyFilePlace;
  /** Throws where the key is not to be kept. */
  readonly verify: (key: ServiceAccountKey) => Promise<void>;
}

/**
 * Makes a key and writes its file; resolves to the key's id. Where anything fails after the key was made, it is deleted again, and a key that
 * could not be deleted is named in a warning.
 */
export async function keepNewKey(
  { terminal }: Pick<Context, "terminal">,
  cloud: Cloud,
  options: AccountName,
  { place, verify }: Keeping,
): Promise<string> {
  let key: ServiceAccountKey | undefined;
  let isMade = false;
  try {
    const text = await cloud.createKey(options);
    isMade = true;
    key = parseServiceAccountKey(parse(text), "The new key");
    await verify(key);
    place.write(`${text.trimEnd()}\n`);
    return key.private_key_id;
  } catch (error) {
    place.discard();
    if (isMade && !key)
      terminal.warn(`A key was made that cannot be read: see which, and delete it: cloudrun-oauth keys list --account ${options.account}`);
    if (key) {
      const name = key.private_key_id;
      await cloud.deleteKey({ ...options, key: name }).catch(() => {
        terminal.warn(
          `The key ${name} was made, is nowhere kept, and could not be deleted: cloudrun-oauth keys delete ${name} --account ${options.account}`,
        );
      });
    }
    throw error;
  }
}

/** Whatever else it may be: its text is never repeated. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Milliseconds in which a new key is known everywhere: https://cloud.google.com/iam/docs/keys-create-delete says 60 seconds or more. */
const PATIENCE = 180_000;

/** Comes back when the token endpoint takes a key. Throws as the exchange does where it is refused for another reason than being new, or for too long. */
export async function waitUntilGood(
  key: ServiceAccountKey,
  { send, env, signal }: Pick<Context, "send" | "env" | "signal">,
): Promise<void> {
  const started = performance.now();
  for (let pause = 500; ; pause = Math.min(pause * 2, 10_000)) {
    try {
      await fetchAccessTokenWithKey(key, { send, env, signal });
      return;
    } catch (error) {
      const isNew = error instanceof CliError && (error.reason === "KEY_UNKNOWN" || error.reason === "ACCOUNT_DELETED");
      if (!isNew || performance.now() - started > PATIENCE) throw error;
      await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

import { fetchAccessTokenWithKey } from "../../auth/service-account-tokens.ts";
import { parseServiceAccountKey, type ServiceAccountKey } from "../../auth/service-account-key.ts";
import type { AccountName, KeyName } from "../../cloud/accounts.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { poll } from "../../http/poll.ts";
import type { NewKeyFile } from "./new-key-file.ts";

/** A new key can take 60 seconds or more to take effect: https://cloud.google.com/iam/docs/keys-create-delete */
const NEW_KEY_TIMEOUT_MS = 180_000;

interface CreateOptions {
  readonly file: NewKeyFile;
  readonly verify?: (key: ServiceAccountKey) => Promise<void>;
}

/** Creates a key and writes its file; resolves to the key's ID. If that fails, deletes the key again, and warns with its ID if it can't. */
export async function createKey(
  { terminal }: Pick<Context, "terminal">,
  cloud: Cloud,
  options: AccountName,
  { file, verify }: CreateOptions,
): Promise<string> {
  let key: ServiceAccountKey | undefined;
  let isCreated = false;
  try {
    const text = await cloud.createKey(options);
    isCreated = true;
    key = parseServiceAccountKey(parseJson(text), "The new key");
    await verify?.(key);
    file.write(`${text.trimEnd()}\n`);
    return key.private_key_id;
  } catch (error) {
    file.discard();
    if (isCreated && !key) {
      const list = terminal.formatCommand({ command: ["keys", "list", "--account", options.account] });
      terminal.warn(`A key was created that can't be read. To find it, run: ${list}`);
    }
    if (key) {
      const id = key.private_key_id;
      await cloud.deleteKey({ ...options, key: id }).catch(() => {
        terminal.warn(
          `Key ${id} was created but not saved, and couldn't be deleted. To delete it, run: ${deletionOf(terminal, { ...options, key: id })}`,
        );
      });
    }
    throw error;
  }
}

/** The command that deletes a key, for use within a warning. */
export function deletionOf(terminal: Context["terminal"], { account, key }: KeyName): string {
  return terminal.formatCommand({ command: ["keys", "delete", key, "--account", account] });
}

/** Unlike `JSON.parse`, throws no error that quotes the text: it contains a private key. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Waits until the token endpoint accepts a key. Throws as the exchange does if it rejects the key for another reason than being new, or for too long. */
export async function waitUntilAccepted(
  key: ServiceAccountKey,
  { send, env, signal }: Pick<Context, "send" | "env" | "signal">,
): Promise<void> {
  let rejection: unknown;
  const exchange = async () => {
    try {
      return await fetchAccessTokenWithKey(key, { send, env, signal });
    } catch (error) {
      if (!(error instanceof CliError) || (error.reason !== "KEY_UNKNOWN" && error.reason !== "ACCOUNT_DELETED")) throw error;
      rejection = error;
      return undefined;
    }
  };
  const token = await poll(exchange, { signal, firstPauseMs: 500, maxPauseMs: 10_000, timeoutMs: NEW_KEY_TIMEOUT_MS });
  if (token === undefined) throw rejection;
}

import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { signJwt } from "./jwt.ts";
import { openKeyPair, type KeyPair } from "./key-pair.ts";

/** The private keys that Google would hold: the issuer's own, and one that it manages for each service account. */
export interface SigningKeys {
  /** The key of https://accounts.google.com, which signs ID tokens. */
  issuerKey(): Promise<KeyPair>;
  /** The key with which the IAM Credentials API signs for an account; created at its first use. */
  accountKey(uniqueId: string): Promise<KeyPair>;
  /** The key with which the IAM Credentials API signs for an account; undefined if the account hasn't signed anything. */
  existingAccountKey(uniqueId: string): Promise<KeyPair | undefined>;
  removeAccountKey(uniqueId: string): void;
  signIdToken(claims: object): Promise<string>;
}

/** Opens the keys under `keys/` in the data directory; each is read or created at its first use. */
export function openSigningKeys(directory: string): SigningKeys {
  let opened: Promise<KeyPair> | undefined;
  const issuer = (): Promise<KeyPair> => (opened ??= openKeyPair(join(directory, "keys", "issuer.pem")));
  const accounts = new Map<string, Promise<KeyPair>>();
  const file = (uniqueId: string): string => join(directory, "keys", `account-${uniqueId}.pem`);

  const openAccountKey = (uniqueId: string): Promise<KeyPair> => {
    const opened = accounts.get(uniqueId);
    if (opened) return opened;
    const opening = openKeyPair(file(uniqueId));
    accounts.set(uniqueId, opening);
    opening.catch(() => accounts.delete(uniqueId));
    return opening;
  };

  return {
    issuerKey: issuer,
    accountKey: openAccountKey,
    existingAccountKey: async (uniqueId) => (accounts.has(uniqueId) || existsSync(file(uniqueId)) ? openAccountKey(uniqueId) : undefined),
    removeAccountKey(uniqueId) {
      accounts.delete(uniqueId);
      rmSync(file(uniqueId), { force: true });
    },
    signIdToken: async (claims) => signJwt(JSON.stringify(claims), await issuer()),
  };
}

import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { signJwt } from "./jwt.ts";
import { openKeyPair, type KeyPair } from "./key-pair.ts";

/** The private keys that the emulator holds as Google would: the issuer's own, and one that it manages for each service account. */
export interface SigningKeys {
  /** The key of https://accounts.google.com, which signs ID tokens. */
  issuerKey(): Promise<KeyPair>;
  /** The key with which an account signs by the IAM Credentials API; made at its first use. */
  accountKey(uniqueId: string): Promise<KeyPair>;
  /** The same, but undefined where the account has not signed anything yet. */
  existingAccountKey(uniqueId: string): Promise<KeyPair | undefined>;
  /** Removes what is kept for an account that is gone. */
  removeAccountKey(uniqueId: string): void;
  /** An ID token with these claims. */
  signIdToken(claims: object): Promise<string>;
}

/** The keys under `keys/` of the data directory; each is read, or made, when it is first asked for. */
export function openSigningKeys(directory: string): SigningKeys {
  let opened: Promise<KeyPair> | undefined;
  const issuer = (): Promise<KeyPair> => (opened ??= openKeyPair(join(directory, "keys", "issuer.pem")));
  const accounts = new Map<string, Promise<KeyPair>>();
  const file = (uniqueId: string): string => join(directory, "keys", `account-${uniqueId}.pem`);

  const ofAccount = (uniqueId: string): Promise<KeyPair> => {
    const known = accounts.get(uniqueId);
    if (known) return known;
    const opening = openKeyPair(file(uniqueId));
    accounts.set(uniqueId, opening);
    opening.catch(() => accounts.delete(uniqueId));
    return opening;
  };

  return {
    issuerKey: issuer,
    accountKey: ofAccount,
    existingAccountKey: async (uniqueId) => (accounts.has(uniqueId) || existsSync(file(uniqueId)) ? ofAccount(uniqueId) : undefined),
    removeAccountKey(uniqueId) {
      accounts.delete(uniqueId);
      rmSync(file(uniqueId), { force: true });
    },
    signIdToken: async (claims) => signJwt(JSON.stringify(claims), await issuer()),
  };
}

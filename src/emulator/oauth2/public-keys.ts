import { X509Certificate, type KeyObject } from "node:crypto";
import type { ServiceAccount } from "../state/resources.ts";
import type { Runtime, TokenRuntime } from "../runtime.ts";
import { createKeyCertificate } from "./key-certificate.ts";
import type { KeyPair } from "./key-pair.ts";

const DAY = 86_400_000;

export interface PublicKeys {
  /** Certificates (PEM) by key id. */
  certificates(): Promise<Record<string, string>>;
  /** RFC 7517, section 5. */
  jwks(): Promise<{ keys: object[] }>;
}

export function issuerKeys({ signingKeys, now }: Pick<Runtime, "signingKeys" | "now">): PublicKeys {
  let certificate: string | undefined;
  return {
    async certificates() {
      const pair = await signingKeys.issuerKey();
      certificate ??= createCertificate(pair, "federated-signon.system.gserviceaccount.com", now());
      return { [pair.keyId]: certificate };
    },
    async jwks() {
      const { keyId, publicKey } = await signingKeys.issuerKey();
      return { keys: [toJwk(keyId, publicKey)] };
    },
  };
}

/** A service account's public keys: its own, and the one that Google manages for it. */
export function accountKeys(account: ServiceAccount, { state, signingKeys, now }: TokenRuntime): PublicKeys {
  const userManagedKeys = state.keys.list(`${account.email}/`).filter(({ disabled }) => !disabled);
  return {
    async certificates() {
      const managed = await signingKeys.accountKey(account.uniqueId);
      const certificate = createCertificate(managed, account.email.replace("@", "."), now());
      return Object.fromEntries([...userManagedKeys.map(({ keyId, certificate: pem }) => [keyId, pem]), [managed.keyId, certificate]]);
    },
    async jwks() {
      const managed = await signingKeys.accountKey(account.uniqueId);
      return {
        keys: [
          ...userManagedKeys.map(({ keyId, certificate }) => toJwk(keyId, new X509Certificate(certificate).publicKey)),
          toJwk(managed.keyId, managed.publicKey),
        ],
      };
    },
  };
}

function createCertificate(pair: KeyPair, commonName: string, now: number): string {
  return createKeyCertificate(pair, commonName, now - DAY, now + 16 * DAY);
}

function toJwk(kid: string, publicKey: KeyObject): object {
  return { ...publicKey.export({ format: "jwk" }), kid, alg: "RS256", use: "sig" };
}

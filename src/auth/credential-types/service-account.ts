import type { Credentials } from "../credentials.ts";
import { fetchAccessToken, fetchIdToken, type Exchange } from "../service-account-tokens.ts";
import { memberOf } from "../jwt.ts";
import type { ServiceAccountKey } from "../service-account-key.ts";

/** A service account's key, which signs what its token endpoint exchanges. `origin` says where it was found. */
export function keyCredentials(key: ServiceAccountKey, origin: string, exchange: Exchange): Credentials {
  const principal = memberOf(key.client_email);
  return {
    principal,
    description: `${principal}, from ${origin}, key ${key.private_key_id}`,
    identity: [key.client_email, key.private_key_id, key.token_uri],
    tokenRequest: { method: "POST", url: key.token_uri },
    fetchIdToken: (audience) => fetchIdToken(key, audience, exchange),
    fetchAccessToken: () => fetchAccessToken(key, exchange),
  };
}

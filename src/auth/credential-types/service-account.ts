import type { Credentials } from "../credentials.ts";
import { fetchAccessTokenWithKey, fetchIdTokenWithKey } from "../service-account-tokens.ts";
import type { AuthContext } from "../auth-context.ts";
import { memberForEmail } from "../member.ts";
import type { ServiceAccountKey } from "../service-account-key.ts";

/** A service account's key, which signs assertions for the token endpoint. `origin` says where the key was found. */
export function serviceAccountCredentials(key: ServiceAccountKey, origin: string, context: AuthContext): Credentials {
  const principal = memberForEmail(key.client_email);
  return {
    principal,
    description: `${principal}, from ${origin}, key ${key.private_key_id}`,
    identity: [key.client_email, key.private_key_id, key.token_uri],
    tokenRequest: { method: "POST", url: key.token_uri },
    fetchIdToken: (audience) => fetchIdTokenWithKey(key, audience, context),
    fetchAccessToken: () => fetchAccessTokenWithKey(key, context),
  };
}

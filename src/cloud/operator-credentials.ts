import { findCredentials } from "../auth/find-credentials.ts";
import type { Credentials } from "../auth/credentials.ts";
import type { AuthContext } from "../auth/auth-context.ts";
import { memberForEmail } from "../auth/member.ts";
import { impersonate, parseImpersonationChain } from "../auth/credential-types/impersonated-service-account.ts";
import type { CloudContext } from "./cloud-context.ts";
import { assertAllowed } from "../settings/rules.ts";

/**
 * The credentials for using the control plane through Google's APIs: those of GOOGLE_APPLICATION_CREDENTIALS, or else those in the settings or those
 * that are found. If gcloud's own variable names an account to impersonate, they impersonate it. Throws as `findCredentials` does.
 */
export async function findOperatorCredentials({
  env,
  settings,
  send,
}: Pick<CloudContext, "env" | "settings" | "send">): Promise<Credentials> {
  // The account that calls services (CREDS) need not be the one that deploys them.
  const file = env.GOOGLE_APPLICATION_CREDENTIALS;
  const setting = file ? { value: file, source: "GOOGLE_APPLICATION_CREDENTIALS" } : settings.get("credentials");
  // CLOUDRUN_OAUTH_IMPERSONATE_SERVICE_ACCOUNT is for calls to services; gcloud's own variable names the account that deploys them.
  const exchange = { env, send };
  return actingAs(await findCredentials(setting, exchange), exchange);
}

const ACT_AS = "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT";

/** The credentials, or those of the account that gcloud would impersonate with them: https://cloud.google.com/sdk/docs/properties */
function actingAs(credentials: Credentials, exchange: AuthContext): Credentials {
  const value = exchange.env[ACT_AS];
  if (!value) return credentials;
  assertAllowed("impersonate", { value, source: ACT_AS });
  const chain = parseImpersonationChain(value);
  // gcloud's own account already is the impersonated one.
  return credentials.principal === memberForEmail(chain.account) ? credentials : impersonate(credentials, chain, exchange);
}

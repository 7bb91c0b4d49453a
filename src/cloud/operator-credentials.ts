import { findCredentials } from "../auth/find-credentials.ts";
import type { Credentials } from "../auth/credentials.ts";
import type { AuthContext } from "../auth/auth-context.ts";
import { principalForEmail } from "../auth/principal.ts";
import { impersonate, parseImpersonationChain } from "../auth/credential-types/impersonated-service-account.ts";
import type { CloudContext } from "./cloud-context.ts";
import { assertAllowed } from "../settings/rules.ts";

/**
 * The credentials that the control plane is used with by Google's APIs: those of GOOGLE_APPLICATION_CREDENTIALS, or else those that are set, or
 * found; where gcloud's own variable names an account to act as, that account's by them. Throws as `findCredentials` does.
 */
export async function findOperatorCredentials({
  env,
  settings,
  send,
}: Pick<CloudContext, "env" | "settings" | "send">): Promise<Credentials> {
  // What calls services (CREDS) need not be what deploys them.
  const file = env.GOOGLE_APPLICATION_CREDENTIALS;
  const setting = file ? { value: file, source: "GOOGLE_APPLICATION_CREDENTIALS" } : settings.get("credentials");
  // Nor is the account that services are called as the one that deploys them: gcloud's own variable names that one.
  const exchange = { env, send };
  return actingAs(await findCredentials(setting, exchange), exchange);
}

const ACT_AS = "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT";

/** The credentials, or those of the account that gcloud would act as by them: https://cloud.google.com/sdk/docs/properties */
function actingAs(credentials: Credentials, exchange: AuthContext): Credentials {
  const value = exchange.env[ACT_AS];
  if (!value) return credentials;
  assertAllowed("impersonate", { value, source: ACT_AS });
  const chain = parseImpersonationChain(value);
  // gcloud's own account acts as it already.
  return credentials.principal === principalForEmail(chain.account) ? credentials : impersonate(credentials, chain, exchange);
}

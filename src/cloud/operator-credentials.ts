import { findCredentials, type Credentials } from "../auth/credentials.ts";
import type { Context } from "../context.ts";

/**
 * The credentials that the control plane is used with by Google's APIs: those of GOOGLE_APPLICATION_CREDENTIALS, or else those that are set, or
 * found. Throws as `findCredentials` does.
 */
export async function findOperatorCredentials({ env, settings, send }: Pick<Context, "env" | "settings" | "send">): Promise<Credentials> {
  // What calls services (CREDS) need not be what deploys them.
  const file = env.GOOGLE_APPLICATION_CREDENTIALS;
  const setting = file ? { value: file, source: "GOOGLE_APPLICATION_CREDENTIALS" } : settings.get("credentials");
  // Nor is the account that services are called as the one that deploys them.
  return findCredentials(setting, { env, send });
}

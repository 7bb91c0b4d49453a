import type { Credentials } from "../../auth/credentials.ts";
import { readCredentialFile } from "../../auth/credential-file.ts";
import { memberForEmail } from "../../auth/member.ts";
import { impersonate, parseImpersonationChain } from "../../auth/credential-types/impersonated-service-account.ts";
import { findOperatorCredentials } from "../../cloud/operator-credentials.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { ignoreCliError } from "../../errors/ignore-cli-error.ts";
import { externalStep } from "../../errors/next-step.ts";
import { gcloudDirectory, readGcloudAccount } from "../../settings/gcloud-configuration.ts";

/** Finds the credentials that deploy: those of the active gcloud account if commands use gcloud. Throws CREDENTIALS_MISSING and as their readers do. */
export async function findDeployer(context: Pick<Context, "env" | "settings" | "send">, via: "gcloud" | "api"): Promise<Credentials> {
  const { env } = context;
  // gcloud is signed in to the emulator, as its operator, when a command first uses it.
  if (via === "api" || env["CLOUDRUN_OAUTH_EMULATOR"]) return findOperatorCredentials(context);
  const { account, impersonated } = readGcloudAccount(env);
  if (!account)
    throw new CliError("CREDENTIALS_MISSING", "No account is active in gcloud.", {
      next: [externalStep("To sign in", "gcloud", "auth", "login")],
    });
  const source = `gcloud's account ${account}`;
  const path = `${gcloudDirectory(env)}/legacy_credentials/${account.replaceAll(":", "")}/adc.json`;
  const credentials = await readCredentialFile(path, source, context).catch(async (error: unknown) => {
    if (!(error instanceof CliError) || error.code !== "CREDENTIALS_MISSING") throw error;
    // The account of a machine in Google Cloud has no file; the metadata server has its tokens.
    const metadataCredentials = await findOperatorCredentials(context).catch(ignoreCliError);
    if (metadataCredentials && metadataCredentials.principal === memberForEmail(account)) return metadataCredentials;
    throw new CliError("CREDENTIALS_MISSING", `Can't read gcloud's credentials for ${account}.`, {
      next: [externalStep("To sign in again", "gcloud", "auth", "login", account)],
      details: { account },
    });
  });
  const withPrincipal = {
    ...credentials,
    principal: credentials.principal ?? (account.includes("@") ? memberForEmail(account) : undefined),
  };
  return impersonated ? impersonate(withPrincipal, parseImpersonationChain(impersonated), context) : withPrincipal;
}

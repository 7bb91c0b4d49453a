import { readFile } from "node:fs/promises";
import { CliError } from "../errors/cli-error.ts";
import type { Setting, Settings } from "../settings/settings.ts";
import { gcloudDirectory, readGcloudAccount } from "../settings/gcloud-configuration.ts";
import { readInline } from "../settings/inline-credentials.ts";
import type { AuthContext } from "./auth-context.ts";
import { readCredentialFile, readInlineCredentials } from "./credential-file.ts";
import type { Credentials } from "./credentials.ts";
import { impersonate, parseImpersonationChain } from "./credential-types/impersonated-service-account.ts";
import { metadataCredentials, metadataHost } from "./credential-types/metadata-server.ts";
import { pipelineCredentials } from "./credential-types/pipeline.ts";
import { memberForEmail } from "./member.ts";
import { OWN_CLIENT_SIGN_IN_STEP, SIGN_IN_STEP } from "./token-refusal.ts";

/** Without settings, no account is impersonated. */
interface SearchContext extends AuthContext {
  readonly settings?: Pick<Settings, "get">;
}

/**
 * Finds credentials, in the order of docs/credentials.md: the setting's file or content, the pipeline's token, Application Default
 * Credentials, the metadata server's account, gcloud's account. They impersonate the account of `--impersonate-service-account`, if set.
 * Throws CliError CREDENTIALS_MISSING if there are none, CREDENTIALS_INVALID if they can't be used.
 */
export async function findCredentials(setting: Setting | undefined, context: SearchContext): Promise<Credentials> {
  const credentials = setting ? await readConfigured(setting, context) : await findDefault(context);
  const account = context.settings?.get("impersonate")?.value;
  return account === undefined ? credentials : impersonate(credentials, parseImpersonationChain(account), context);
}

async function readConfigured(setting: Setting, context: SearchContext): Promise<Credentials> {
  const { value, source, isInline } = setting;
  const inline = isInline ? (context.env[source] ?? "") : value;
  const text = readInline(inline) ?? (isInline ? inline : undefined);
  if (text !== undefined) return readInlineCredentials(text, source, context);
  try {
    return await readCredentialFile(value, source, context);
  } catch (error) {
    if (!(error instanceof CliError) || source === "--credentials") throw error;
    throw error.with({ hint: [error.hint, `The path comes from ${source}.`].filter(Boolean).join(" ") });
  }
}

async function findDefault(context: SearchContext): Promise<Credentials> {
  const { env } = context;
  const pipeline = pipelineCredentials(context);
  if (pipeline) return pipeline;

  const gcloud = gcloudDirectory(env);
  const applicationDefault = await readIfExists(
    `${gcloud}/application_default_credentials.json`,
    "Application Default Credentials",
    context,
  );
  if (applicationDefault) return applicationDefault;

  const host = metadataHost(env, await readProductName());
  const machineCredentials = host === undefined ? undefined : await metadataCredentials(host, context);
  if (machineCredentials) return machineCredentials;

  const { account, impersonated } = readGcloudAccount(env);
  const gcloudCredentials =
    account &&
    (await readIfExists(`${gcloud}/legacy_credentials/${account.replaceAll(":", "")}/adc.json`, `gcloud's account ${account}`, context));
  if (account && gcloudCredentials) {
    const named = {
      ...gcloudCredentials,
      principal: gcloudCredentials.principal ?? (account.includes("@") ? memberForEmail(account) : undefined),
    };
    return impersonated ? impersonate(named, parseImpersonationChain(impersonated), context) : named;
  }

  throw new CliError("CREDENTIALS_MISSING", "No credentials found.", {
    hint: "Pass --credentials with a key file, or set GOOGLE_APPLICATION_CREDENTIALS to its path.",
    next: [SIGN_IN_STEP, OWN_CLIENT_SIGN_IN_STEP],
  });
}

async function readIfExists(path: string, source: string, context: SearchContext): Promise<Credentials | undefined> {
  try {
    return await readCredentialFile(path, source, context);
  } catch (error) {
    if (error instanceof CliError && error.code === "CREDENTIALS_MISSING") return undefined;
    throw error;
  }
}

/** The firmware's name for this machine; empty if unknown, as on macOS. */
async function readProductName(): Promise<string> {
  return readFile("/sys/class/dmi/id/product_name", "utf8").catch(() => "");
}

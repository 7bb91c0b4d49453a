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
import { principalForEmail } from "./principal.ts";

/** What the search needs of the world; without settings nothing is impersonated. */
interface Search extends AuthContext {
  readonly settings?: Pick<Settings, "get">;
}

/**
 * The credentials to act with, in the order of docs/credentials.md: what the setting names or holds, the pipeline's, Application Default Credentials,
 * the metadata server's account, gcloud's account; and the account that they are to act as, where `--impersonate-service-account` says one.
 * Throws CliError CREDENTIALS_MISSING where there are none, and as the readers of their kinds do.
 */
export async function findCredentials(setting: Setting | undefined, search: Search): Promise<Credentials> {
  const found = setting ? await readNamed(setting, search) : await findUnnamed(search);
  const account = search.settings?.get("impersonate")?.value;
  return account === undefined ? found : impersonate(found, parseImpersonationChain(account), search);
}

async function readNamed(setting: Setting, search: Search): Promise<Credentials> {
  const { value, source, isInline } = setting;
  const inline = isInline ? (search.env[source] ?? "") : value;
  const text = readInline(inline) ?? (isInline ? inline : undefined);
  if (text !== undefined) return readInlineCredentials(text, source, search);
  try {
    return await readCredentialFile(value, source, search);
  } catch (error) {
    if (!(error instanceof CliError) || source === "--credentials") throw error;
    throw error.with({ hint: `${error.hint ? `${error.hint} ` : ""}(The file is named by ${source}.)` });
  }
}

async function findUnnamed(search: Search): Promise<Credentials> {
  const { env } = search;
  const pipeline = pipelineCredentials(search);
  if (pipeline) return pipeline;

  const gcloud = gcloudDirectory(env);
  const ofDefault = await readIfThere(`${gcloud}/application_default_credentials.json`, "Application Default Credentials", search);
  if (ofDefault) return ofDefault;

  const host = metadataHost(env, await readProductName());
  const ofMachine = host === undefined ? undefined : await metadataCredentials(host, search);
  if (ofMachine) return ofMachine;

  const { account, impersonated } = readGcloudAccount(env);
  const ofGcloud =
    account &&
    (await readIfThere(`${gcloud}/legacy_credentials/${account.replaceAll(":", "")}/adc.json`, `gcloud's account ${account}`, search));
  if (account && ofGcloud) {
    const named = { ...ofGcloud, principal: ofGcloud.principal ?? (account.includes("@") ? principalForEmail(account) : undefined) };
    return impersonated ? impersonate(named, parseImpersonationChain(impersonated), search) : named;
  }

  throw new CliError("CREDENTIALS_MISSING", "No credentials were found.", {
    hint: "Say --credentials KEY_FILE, or set GOOGLE_APPLICATION_CREDENTIALS to a service account's key file; or sign in: gcloud auth application-default login",
  });
}

async function readIfThere(path: string, source: string, search: Search): Promise<Credentials | undefined> {
  try {
    return await readCredentialFile(path, source, search);
  } catch (error) {
    if (error instanceof CliError && error.code === "CREDENTIALS_MISSING") return undefined;
    throw error;
  }
}

/** What the firmware calls this machine; nothing where it does not say, as on macOS. */
async function readProductName(): Promise<string> {
  return readFile("/sys/class/dmi/id/product_name", "utf8").catch(() => "");
}

import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { attempt } from "./private-files.ts";

type Environment = Readonly<Record<string, string | undefined>>;

interface GcloudConfiguration {
  /** As shown to the user. */
  readonly name: string;
  /** By `section/property`. */
  readonly values: Readonly<Record<string, string>>;
}

/**
 * Reads the user's active gcloud configuration from its files, since starting gcloud takes most of a second.
 * https://cloud.google.com/sdk/docs/configurations
 */
export function readGcloudConfiguration(env: Environment): GcloudConfiguration | undefined {
  const directory = gcloudDirectory(env);
  const name = env.CLOUDSDK_ACTIVE_CONFIG_NAME || read(join(directory, "active_config"))?.trim() || "default";
  const text = read(join(directory, "configurations", `config_${name}`));
  return text === undefined ? undefined : { name: `gcloud configuration ${name}`, values: parseIni(text) };
}

/** Reads all gcloud configurations, the active one first. */
export function readGcloudConfigurations(env: Environment): readonly GcloudConfiguration[] {
  const active = readGcloudConfiguration(env);
  const directory = join(gcloudDirectory(env), "configurations");
  const others = (attempt(() => readdirSync(directory)) ?? [])
    .filter((file) => file.startsWith("config_"))
    .toSorted()
    .map((file) => ({ name: `gcloud configuration ${file.slice("config_".length)}`, values: parseIni(read(join(directory, file)) ?? "") }));
  return [...(active ? [active] : []), ...others.filter(({ name }) => name !== active?.name)];
}

/** The directory of gcloud's configurations, logins, and Application Default Credentials. */
export function gcloudDirectory(env: Environment): string {
  const home = env.HOME || env.USERPROFILE || homedir();
  return env.CLOUDSDK_CONFIG || (env.APPDATA ? join(env.APPDATA, "gcloud") : join(home, ".config", "gcloud"));
}

/** Returns gcloud's active account, and the account that it impersonates. */
export function readGcloudAccount(env: Environment): { readonly account: string | undefined; readonly impersonated: string | undefined } {
  const { values = {} } = readGcloudConfiguration(env) ?? {};
  return {
    account: env.CLOUDSDK_CORE_ACCOUNT || values["core/account"],
    impersonated: env.CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT || values["auth/impersonate_service_account"],
  };
}

/** The text of a file; without a readable one, gcloud isn't configured. */
function read(path: string): string | undefined {
  return attempt(() => readFileSync(path, "utf8"));
}

function parseIni(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  let section = "";
  for (const line of text.split(/\r?\n/)) {
    section = /^\[(.+)\]\s*$/.exec(line)?.[1] ?? section;
    const [, property, value] = /^([\w-]+)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (property && value) values[`${section}/${property}`] = value;
  }
  return values;
}

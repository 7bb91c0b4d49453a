import { readFileSync } from "node:fs";
import { join } from "node:path";

interface GcloudConfiguration {
  /** As it is shown to a person. */
  readonly name: string;
  /** By `section/property`. */
  readonly values: Readonly<Record<string, string>>;
}

/**
 * The user's active gcloud configuration, from its files: starting gcloud would take most of a second.
 * https://cloud.google.com/sdk/docs/configurations
 */
export function readGcloudConfiguration(env: Readonly<Record<string, string | undefined>>, home: string): GcloudConfiguration | undefined {
  const directory = env.CLOUDSDK_CONFIG || (env.APPDATA ? join(env.APPDATA, "gcloud") : join(home, ".config", "gcloud"));
  const name = env.CLOUDSDK_ACTIVE_CONFIG_NAME || read(join(directory, "active_config"))?.trim() || "default";
  const text = read(join(directory, "configurations", `config_${name}`));
  return text === undefined ? undefined : { name: `gcloud configuration ${name}`, values: parseIni(text) };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Missing or not ours to read: gcloud is then as good as not configured.
    return undefined;
  }
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

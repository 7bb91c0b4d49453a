import { CliError } from "../errors/cli-error.ts";
import { suggestMatch } from "../errors/closest-match.ts";
import { SETTING_NAMES } from "./setting-sources.ts";

export type ProfileValues = Readonly<Record<string, string>>;

/** What the profiles' file holds. */
export interface StoredProfiles {
  readonly current?: string;
  readonly profiles?: Readonly<Record<string, ProfileValues>>;
}

/** Parses the profiles' file. Throws SETTINGS_INVALID, with the path and the reason. */
export function parseProfiles(path: string, text: string): StoredProfiles {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw invalid(`${path} isn't valid JSON: ${(error as Error).message}.`, undefined, error);
  }
  if (!isObject(value)) throw invalid(`${path} must contain a JSON object.`);
  const { current, profiles = {} } = value;
  if (current !== undefined && typeof current !== "string") throw invalid(`${path}: current must be a string.`);
  if (!isObject(profiles)) throw invalid(`${path}: profiles must be an object.`);
  for (const [profile, values] of Object.entries(profiles)) {
    if (!isObject(values)) throw invalid(`${path}: profiles.${profile} must be an object.`);
    for (const [name, setting] of Object.entries(values)) {
      if (!SETTING_NAMES.some((known) => known === name))
        throw invalid(`${path}: unknown setting "${name}" in profile ${profile}.`, suggestMatch(name, SETTING_NAMES));
      if (typeof setting !== "string") throw invalid(`${path}: ${name} in profile ${profile} must be a string.`);
    }
  }
  return value as StoredProfiles;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(message: string, hint = "Fix the file, or delete it to start over.", cause?: unknown): CliError {
  return new CliError("SETTINGS_INVALID", message, { hint, cause });
}

import type { Settings } from "./settings.ts";
import { readGcloudConfigurations } from "./gcloud-configuration.ts";
import { CREDENTIAL_VARIABLES, readInline } from "./inline-credentials.ts";
import { explainInvalid } from "./rules.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** A value that the user has set, and its source. */
export interface KnownValue {
  readonly value: string;
  readonly source: string;
}

/** Returns the valid projects or regions that the user has set anywhere, each once, the one in effect first. */
export function knownPlaces(name: "project" | "region", settings: Settings, env: Environment): readonly KnownValue[] {
  const fromGcloud = readGcloudConfigurations(env).map(({ name: source, values }) => ({
    value: values[name === "project" ? "core/project" : "run/region"],
    source: values["core/account"] ? `${source}, ${values["core/account"]}` : source,
  }));
  const set = settings.get(name);
  // A gcloud configuration is shown with its account.
  const first = set?.source.startsWith("gcloud configuration ") ? fromGcloud[0] : set;
  return validAndDistinct(name, [first, ...fromProfiles(name, settings), ...fromGcloud]);
}

/** Returns the credential files that the user has set anywhere, each once, the one in effect first. */
export function knownCredentials(settings: Settings, env: Environment): readonly KnownValue[] {
  const set = settings.get("credentials");
  const fromVariables = CREDENTIAL_VARIABLES.map((source) => ({ value: env[source], source }));
  const files = [set?.isInline ? undefined : set, ...fromVariables, ...fromProfiles("credentials", settings)];
  return validAndDistinct(
    "credentials",
    files.filter((file) => file?.value && readInline(file.value) === undefined),
  );
}

function fromProfiles(name: string, { profiles }: Settings): { value: string | undefined; source: string }[] {
  return profiles.names().map((profile) => ({ value: profiles.values(profile)[name], source: `profile ${profile}` }));
}

function validAndDistinct(name: string, candidates: readonly ({ value: string | undefined; source: string } | undefined)[]): KnownValue[] {
  const known = new Map<string, KnownValue>();
  for (const { value, source } of candidates.flatMap((candidate) => candidate ?? []))
    if (value && !known.has(value) && !explainInvalid(name, value)) known.set(value, { value, source });
  return [...known.values()];
}

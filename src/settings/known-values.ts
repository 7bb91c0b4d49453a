import type { Settings } from "./settings.ts";
import { readGcloudConfigurations } from "./gcloud-configuration.ts";
import { CREDENTIAL_VARIABLES, readInline } from "./inline-credentials.ts";
import { faultOf } from "./rules.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** A value that the user has somewhere, and where. */
export interface Known {
  readonly value: string;
  readonly source: string;
}

/** The projects, or regions, that a user has set anywhere, the one that counts first; none twice, and none that breaks the rule. */
export function knownPlaces(name: "project" | "region", settings: Settings, env: Environment): readonly Known[] {
  const fromGcloud = readGcloudConfigurations(env).map(({ name: source, values }) => ({
    value: values[name === "project" ? "core/project" : "run/region"],
    source: values["core/account"] ? `${source}, ${values["core/account"]}` : source,
  }));
  const set = settings.get(name);
  // gcloud's active configuration is told with its account.
  const first = set?.source.startsWith("gcloud configuration ") ? fromGcloud[0] : set;
  return distinct(name, [first, ...fromProfiles(name, settings), ...fromGcloud]);
}

/** The credential files that a user has set anywhere, likewise. */
export function knownCredentials(settings: Settings, env: Environment): readonly Known[] {
  const set = settings.get("credentials");
  const fromVariables = CREDENTIAL_VARIABLES.map((source) => ({ value: env[source], source }));
  const files = [set?.isInline ? undefined : set, ...fromVariables, ...fromProfiles("credentials", settings)];
  return distinct(
    "credentials",
    files.filter((file) => file?.value && readInline(file.value) === undefined),
  );
}

function fromProfiles(name: string, { profiles }: Settings): { value: string | undefined; source: string }[] {
  return profiles.names().map((profile) => ({ value: profiles.values(profile)[name], source: `profile ${profile}` }));
}

function distinct(name: string, found: readonly ({ value: string | undefined; source: string } | undefined)[]): Known[] {
  const known = new Map<string, Known>();
  for (const { value, source } of found.flatMap((each) => each ?? []))
    if (value && !known.has(value) && !faultOf(name, value)) known.set(value, { value, source });
  return [...known.values()];
}

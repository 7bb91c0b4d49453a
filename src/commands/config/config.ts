import { resolve } from "node:path";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { closestMatch } from "../../errors/closest-match.ts";
import { printPlan } from "../../context/print-plan.ts";
import { SETTING_NAMES, type SettingName } from "../../settings/setting-sources.ts";
import { projectFileSchema } from "../../settings/json-schema.ts";
import { assertAllowed } from "../../settings/rules.ts";

/** Prints the value of a setting. */
export async function configGet({ settings, terminal }: Context, text: string): Promise<void> {
  const name = parseSettingName(text);
  const value = settings.require(name);
  if (terminal.json) return terminal.printJson({ name, value, source: settings.get(name)?.source });
  terminal.print(`${value}\n`);
}

/** Sets a setting in the active profile. */
export async function configSet(context: Context, text: string, value: string): Promise<void> {
  const name = parseSettingName(text);
  assertAllowed(name, { value, source: "the command line" });
  // A relative path would be another file in another folder.
  await change(context, name, name === "credentials" ? resolve(context.cwd, value) : value);
}

/** Removes a setting from the active profile. */
export async function configUnset(context: Context, text: string): Promise<void> {
  await change(context, parseSettingName(text), null);
}

async function change({ dryRun, settings: { profiles }, terminal }: Context, name: SettingName, value: string | null): Promise<void> {
  const profile = profiles.current();
  if (dryRun) {
    const what = value === null ? `remove ${name} from` : `set ${name} to ${value} in`;
    return printPlan(terminal, [`${what} profile ${profile} in ${profiles.path}`]);
  }
  profiles.set(name, value ?? undefined);
  if (terminal.json) return terminal.printJson({ profile, name, value });
  terminal.note(value === null ? `${name} is not set in profile ${profile} any more.` : `${name} is ${value} in profile ${profile}.`);
}

/** Shows every setting that has a value, with its source. */
export async function configList({ settings, terminal }: Context): Promise<void> {
  const settingsWithValue = SETTING_NAMES.flatMap((name) => {
    const setting = settings.get(name);
    return setting ? [{ name, ...setting }] : [];
  });
  const profile = settings.profiles.current();
  if (terminal.json) return terminal.printJson({ profile, profiles: settings.profiles.names(), settings: settingsWithValue });
  terminal.printTable(settingsWithValue.map(({ name, value, source }) => [name, value, source]));
}

/** Shows the profiles: which one is active, and the settings of each. */
export async function configProfiles({ settings: { profiles }, terminal }: Context): Promise<void> {
  const profilesWithSettings = profiles
    .names()
    .map((name) => ({ name, current: name === profiles.current(), settings: profiles.values(name) }));
  if (terminal.json) return terminal.printJson({ profiles: profilesWithSettings });
  const shown = (settings: object) => Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  terminal.printTable(
    profilesWithSettings.map(({ name, current, settings }) => [current ? "*" : " ", name, shown(settings).join(" ") || "(empty)"]),
  );
}

/** Makes another profile the active one, and creates it if it doesn't exist. */
export async function configUse({ dryRun, settings: { profiles }, terminal }: Context, profile: string): Promise<void> {
  if (!/^[\w.-]{1,64}$/.test(profile))
    throw new CliError("USAGE", `"${profile}" cannot be a profile's name: letters, digits, points, hyphens and underscores can.`);
  const isNew = !profiles.names().includes(profile);
  if (dryRun) return printPlan(terminal, [`${isNew ? "make and use" : "use"} profile ${profile} in ${profiles.path}`]);
  profiles.use(profile);
  if (terminal.json) return terminal.printJson({ profile, made: isNew });
  terminal.note(`Profile ${profile} is in use${isNew ? ": it is new, and empty" : ""}.`);
}

/** Deletes a profile after confirmation. */
export async function configDelete({ dryRun, settings: { profiles }, terminal }: Context, profile: string): Promise<void> {
  if (dryRun) return printPlan(terminal, [`delete profile ${profile} in ${profiles.path}`]);
  const count = Object.keys(profiles.values(profile)).length;
  // An empty profile needs no confirmation, and a missing one is an error.
  if (
    count > 0 &&
    !(await terminal.confirm(`Delete the profile ${profile} with ${count === 1 ? "its setting" : `its ${count} settings`}?`))
  )
    return terminal.note("Nothing was deleted.");
  profiles.delete(profile);
  if (terminal.json) return terminal.printJson({ deleted: profile, profile: profiles.current() });
  terminal.note(`Profile ${profile} is deleted; ${profiles.current()} is in use.`);
}

/** Prints the JSON schema of cloudrun-oauth.json. */
export async function configSchema({ terminal }: Context): Promise<void> {
  terminal.printJson(projectFileSchema());
}

function parseSettingName(text: string): SettingName {
  const name = SETTING_NAMES.find((known) => known === text);
  if (name) return name;
  const meant = closestMatch(text, SETTING_NAMES);
  throw new CliError("USAGE", `There is no setting "${text}".`, {
    hint: meant ? `Did you mean ${meant}?` : `There are ${SETTING_NAMES.join(", ")}.`,
  });
}

import { resolve } from "node:path";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { suggestMatch } from "../../errors/closest-match.ts";
import { nextStep } from "../../errors/next-step.ts";
import { printPlan } from "../../context/print-plan.ts";
import { SETTING_NAMES, type SettingName } from "../../settings/setting-sources.ts";
import { projectFileSchema } from "../../settings/json-schema.ts";
import { assertAllowed } from "../../settings/rules.ts";

/** Prints the value of a setting. */
export async function configGet({ settings, terminal }: Context, text: string): Promise<void> {
  const name = parseSettingName(text);
  const setting = settings.get(name);
  if (!setting) {
    const next = [nextStep("To set it", "config", "set", name, name.toUpperCase())];
    throw new CliError("USAGE", `Setting ${name} isn't set.`, { next });
  }
  const { value, source } = setting;
  if (terminal.json) return terminal.printJson({ name, value, source });
  terminal.print(`${value}\n`);
}

/** Sets a setting in the active profile. */
export async function configSet(context: Context, text: string, value: string): Promise<void> {
  const name = parseSettingName(text);
  assertAllowed(name, { value });
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
  terminal.note(value === null ? `Removed ${name} from profile ${profile}.` : `Set ${name} to ${value} in profile ${profile}.`);
}

/** Shows every setting that has a value, with its source. */
export async function configList({ settings, terminal }: Context): Promise<void> {
  const settingsWithValue = SETTING_NAMES.flatMap((name) => {
    const setting = settings.get(name);
    return setting ? [{ name, ...setting }] : [];
  });
  const profile = settings.profiles.current();
  if (terminal.json) return terminal.printJson({ profile, profiles: settings.profiles.names(), settings: settingsWithValue });
  terminal.printTable(
    settingsWithValue.map(({ name, value, source }) => [name, value, source]),
    { header: ["setting", "value", "source"] },
  );
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
    { header: ["", "profile", "settings"] },
  );
}

/** Makes another profile the active one, and creates it if it doesn't exist. */
export async function configUse({ dryRun, settings: { profiles }, terminal }: Context, profile: string): Promise<void> {
  if (!/^[\w.-]{1,64}$/.test(profile))
    throw new CliError("USAGE", `Invalid profile name "${profile}".`, {
      hint: "Use at most 64 letters, digits, periods, hyphens, and underscores.",
    });
  const isNew = !profiles.names().includes(profile);
  if (dryRun) return printPlan(terminal, [`${isNew ? "create and use" : "use"} profile ${profile} in ${profiles.path}`]);
  profiles.use(profile);
  if (terminal.json) return terminal.printJson({ profile, made: isNew });
  terminal.note(isNew ? `Created profile ${profile} and switched to it.` : `Switched to profile ${profile}.`);
}

/** Deletes a profile after confirmation. */
export async function configDelete({ dryRun, settings: { profiles }, terminal }: Context, profile: string): Promise<void> {
  if (dryRun) return printPlan(terminal, [`delete profile ${profile} in ${profiles.path}`]);
  const count = Object.keys(profiles.values(profile)).length;
  // An empty profile needs no confirmation, and a missing one is an error.
  if (count > 0 && !(await terminal.confirm(`Delete profile ${profile} and its ${count === 1 ? "setting" : `${count} settings`}?`)))
    return terminal.note("Nothing was deleted.");
  profiles.delete(profile);
  if (terminal.json) return terminal.printJson({ deleted: profile, profile: profiles.current() });
  terminal.note(`Deleted profile ${profile}. Active profile: ${profiles.current()}.`);
}

/** Prints the JSON schema of cloudrun-oauth.json. */
export async function configSchema({ terminal }: Context): Promise<void> {
  terminal.printJson(projectFileSchema());
}

function parseSettingName(text: string): SettingName {
  const name = SETTING_NAMES.find((known) => known === text);
  if (name) return name;
  const hint = suggestMatch(text, SETTING_NAMES) ?? `Settings: ${SETTING_NAMES.join(", ")}.`;
  throw new CliError("USAGE", `Unknown setting "${text}".`, { hint });
}

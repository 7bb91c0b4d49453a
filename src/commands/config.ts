import { resolve } from "node:path";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { SETTING_NAMES, type SettingName } from "../settings.ts";
import { assertAllowed } from "../settings/rules.ts";

/** Prints a setting, wherever it came from. */
export async function configGet({ settings, terminal }: Context, text: string): Promise<void> {
  const name = readName(text);
  const value = settings.require(name);
  if (terminal.json) return terminal.printJson({ name, value, source: settings.get(name)?.source });
  terminal.print(`${value}\n`);
}

/** Keeps a setting in the profile in use. */
export async function configSet({ cwd, dryRun, settings, terminal }: Context, text: string, value: string): Promise<void> {
  const name = readName(text);
  assertAllowed(name, { value, source: "the command line" });
  // A relative path would mean something else in the next folder.
  const kept = name === "credentials" || name === "record" ? resolve(cwd, value) : value;
  if (!dryRun) await settings.profiles.set(name, kept);
  confirmed({ settings, terminal }, name, kept);
}

/** Removes a setting from the profile in use. */
export async function configUnset({ dryRun, settings, terminal }: Context, text: string): Promise<void> {
  const name = readName(text);
  if (!dryRun) await settings.profiles.set(name, undefined);
  confirmed({ settings, terminal }, name, null);
}

/** Shows every setting that has a value, and where it came from. */
export async function configList({ settings, terminal }: Context): Promise<void> {
  const found = SETTING_NAMES.flatMap((name) => {
    const setting = settings.get(name);
    return setting ? [{ name, ...setting }] : [];
  });
  const profile = settings.profiles.current();
  if (terminal.json) return terminal.printJson({ profile, profiles: settings.profiles.names(), settings: found });
  terminal.printTable(found.map(({ name, value, source }) => [name, value, source]));
}

/** Changes to another profile, which is made where it is missing. */
export async function configUse({ dryRun, settings, terminal }: Context, profile: string): Promise<void> {
  if (!/^[\w.-]{1,64}$/.test(profile))
    throw new CliError("USAGE", `"${profile}" cannot be a profile's name: letters, digits, points, hyphens and underscores can.`);
  if (!dryRun) await settings.profiles.use(profile);
  if (terminal.json) return terminal.printJson({ profile });
  terminal.note(`Profile ${profile} is in use.`);
}

function readName(text: string): SettingName {
  const name = SETTING_NAMES.find((known) => known === text);
  if (name) return name;
  throw new CliError("USAGE", `There is no setting "${text}".`, { hint: `There are ${SETTING_NAMES.join(", ")}.` });
}

function confirmed({ settings, terminal }: Pick<Context, "settings" | "terminal">, name: SettingName, value: string | null): void {
  const profile = settings.profiles.current();
  if (terminal.json) return terminal.printJson({ profile, name, value });
  terminal.note(value === null ? `${name} is not set in profile ${profile} any more.` : `${name} is ${value} in profile ${profile}.`);
}

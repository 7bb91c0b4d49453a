import { resolve } from "node:path";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { closestMatch } from "../../errors/closest-match.ts";
import { printPlan } from "../../context/print-plan.ts";
import { SETTING_NAMES, type SettingName } from "../../settings/setting-sources.ts";
import { projectFileSchema } from "../../settings/json-schema.ts";
import { assertAllowed } from "../../settings/rules.ts";

/** Prints a setting, wherever it came from. */
export async function configGet({ settings, terminal }: Context, text: string): Promise<void> {
  const name = readName(text);
  const value = settings.require(name);
  if (terminal.json) return terminal.printJson({ name, value, source: settings.get(name)?.source });
  terminal.print(`${value}\n`);
}

/** Keeps a setting in the profile in use. */
export async function configSet(context: Context, text: string, value: string): Promise<void> {
  const name = readName(text);
  assertAllowed(name, { value, source: "the command line" });
  // A relative path would mean something else in the next folder.
  await change(context, name, name === "credentials" ? resolve(context.cwd, value) : value);
}

/** Removes a setting from the profile in use. */
export async function configUnset(context: Context, text: string): Promise<void> {
  await change(context, readName(text), null);
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

/** Shows the profiles: which is in use, and what each holds. */
export async function configProfiles({ settings: { profiles }, terminal }: Context): Promise<void> {
  const found = profiles.names().map((name) => ({ name, current: name === profiles.current(), settings: profiles.values(name) }));
  if (terminal.json) return terminal.printJson({ profiles: found });
  const shown = (settings: object) => Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  terminal.printTable(found.map(({ name, current, settings }) => [current ? "*" : " ", name, shown(settings).join(" ") || "(empty)"]));
}

/** Changes to another profile, which is made where it is missing. */
export async function configUse({ dryRun, settings: { profiles }, terminal }: Context, profile: string): Promise<void> {
  if (!/^[\w.-]{1,64}$/.test(profile))
    throw new CliError("USAGE", `"${profile}" cannot be a profile's name: letters, digits, points, hyphens and underscores can.`);
  const isNew = !profiles.names().includes(profile);
  if (dryRun) return printPlan(terminal, [`${isNew ? "make and use" : "use"} profile ${profile} in ${profiles.path}`]);
  profiles.use(profile);
  if (terminal.json) return terminal.printJson({ profile, made: isNew });
  terminal.note(`Profile ${profile} is in use${isNew ? ": it is new, and empty" : ""}.`);
}

/** Deletes a profile, once that is confirmed. */
export async function configDelete({ dryRun, settings: { profiles }, terminal }: Context, profile: string): Promise<void> {
  if (dryRun) return printPlan(terminal, [`delete profile ${profile} in ${profiles.path}`]);
  const count = Object.keys(profiles.values(profile)).length;
  // An empty one is not missed, and one that is not there is refused without a question.
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

function readName(text: string): SettingName {
  const name = SETTING_NAMES.find((known) => known === text);
  if (name) return name;
  const meant = closestMatch(text, SETTING_NAMES);
  throw new CliError("USAGE", `There is no setting "${text}".`, {
    hint: meant ? `Did you mean ${meant}?` : `There are ${SETTING_NAMES.join(", ")}.`,
  });
}

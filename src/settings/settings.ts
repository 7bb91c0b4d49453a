import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { CliError } from "../errors/cli-error.ts";
import { nextStep } from "../errors/next-step.ts";
import { readGcloudConfiguration } from "./gcloud-configuration.ts";
import { JSON_VARIABLE, readInline } from "./inline-credentials.ts";
import { openProfiles, type Profiles } from "./profiles.ts";
import { readProjectFile } from "./project-file.ts";
import { assertAllowed } from "./rules.ts";
import { SETTING_NAMES, SETTING_SOURCES, type SettingName, type SettingSource } from "./setting-sources.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface Setting {
  readonly value: string;
  /** The flag, variable, file, or profile that it comes from, as shown to the user. */
  readonly source: string;
  /** True if the variable that is the source holds the credentials themselves. No value here repeats them. */
  readonly isInline?: boolean;
}

/** Flag > environment > project file > profile > gcloud's configuration > default. Each is read when a setting first needs it. */
export interface Settings {
  /** Throws SETTINGS_INVALID, with the source, if the value breaks the setting's rule. */
  get(name: SettingName): Setting | undefined;
  /** The value on the command line. */
  flag(name: SettingName): string | undefined;
  /** The value of the argument, or else of the setting. Throws USAGE if neither has one. */
  require(name: SettingName, argument?: string): string;
  readonly profiles: Profiles;
}

interface SettingsOptions {
  /** The flags of the command line, by their long names in camel case. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Environment;
  readonly cwd: string;
  /** The folder in which, and above which, the project file is looked up; by default `cwd`. */
  readonly folder?: string;
}

/** Opens the settings. Throws SETTINGS_INVALID if a flag breaks its rule. */
export function openSettings({ flags, env, cwd, folder = cwd }: SettingsOptions): Settings {
  const projectFile = once(() => readProjectFile(folder));
  const gcloud = once(() => readGcloudConfiguration(env));
  const profile = typeof flags.profile === "string" ? flags.profile : env.CLOUDRUN_OAUTH_PROFILE || undefined;
  const profiles = openProfiles(profilesDirectory(env), profile);

  const readers: readonly ((name: SettingName, source: SettingSource) => Setting | undefined)[] = [
    (name) => readFlag(flags, name),
    (_, { environment }) => environment.map((variable) => toSetting(env[variable], variable)).find((setting) => setting !== undefined),
    (name) => toSetting(projectFile()?.values[name], projectFile()?.path),
    (name) => toSetting(profiles.values()[name], `profile ${profiles.current()}`),
    (_, { gcloud: keys }) => (keys ? toSetting(gcloud()?.values[keys.join("/")], gcloud()?.name) : undefined),
    (_, { fallback }) => toSetting(fallback, "default"),
  ];

  function get(name: SettingName): Setting | undefined {
    const source: SettingSource = SETTING_SOURCES[name];
    for (const read of readers) {
      const setting = read(name, source);
      if (!setting) continue;
      const isJson = setting.source === JSON_VARIABLE || readInline(setting.value) !== undefined;
      if (source.canBeInline && source.environment.includes(setting.source) && isJson)
        return { value: "[inline]", source: setting.source, isInline: true };
      assertAllowed(name, setting);
      return source.isPath ? { ...setting, value: resolve(cwd, setting.value) } : setting;
    }
    return undefined;
  }

  for (const name of SETTING_NAMES) if (readFlag(flags, name)) get(name);

  return {
    get,
    profiles,
    flag: (name) => readFlag(flags, name)?.value,
    require(name, argument) {
      if (argument !== undefined) {
        assertAllowed(name, { value: argument });
        return argument;
      }
      const setting = get(name);
      if (setting) return setting.value;
      const { environment }: SettingSource = SETTING_SOURCES[name];
      const variable = name === "project" ? "GOOGLE_CLOUD_PROJECT" : environment.find((known) => known !== JSON_VARIABLE);
      const placeholder = name.toUpperCase();
      const emulatorHint = name === "project" ? " To use the local emulator instead, add --emulator." : "";
      throw new CliError("USAGE", `No ${name} specified.`, {
        hint: `Use ${flagOf(name)} ${placeholder} or set ${variable}.${emulatorHint}`,
        next: [nextStep("To save it in your profile", "config", "set", name, placeholder)],
      });
    },
  };
}

function readFlag(flags: Readonly<Record<string, unknown>>, name: SettingName): Setting | undefined {
  const { flag = name }: SettingSource = SETTING_SOURCES[name];
  const value = flags[flag];
  return typeof value === "string" ? { value, source: flagOf(name) } : undefined;
}

/** The flag as users type it. */
function flagOf(name: SettingName): string {
  const { flag = name }: SettingSource = SETTING_SOURCES[name];
  return `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function toSetting(value: string | undefined, source: string | undefined): Setting | undefined {
  return value && source ? { value, source } : undefined;
}

function once<T>(read: () => T): () => T {
  let result: { value: T } | undefined;
  return () => (result ??= { value: read() }).value;
}

function profilesDirectory(env: Environment): string {
  if (env.CLOUDRUN_OAUTH_CONFIG_DIR) return env.CLOUDRUN_OAUTH_CONFIG_DIR;
  if (env.APPDATA) return join(env.APPDATA, "cloudrun-oauth");
  return join(env.XDG_CONFIG_HOME || join(env.HOME || env.USERPROFILE || homedir(), ".config"), "cloudrun-oauth");
}

import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { CliError } from "../errors/cli-error.ts";
import { readGcloudConfiguration } from "./gcloud-configuration.ts";
import { CREDENTIAL_VARIABLES, JSON_VARIABLE, readInline } from "./inline-credentials.ts";
import { openProfiles, type Profiles } from "./profiles.ts";
import { readProjectFile } from "./project-file.ts";
import { assertAllowed } from "./rules.ts";

type Environment = Readonly<Record<string, string | undefined>>;

interface Where {
  /** The variables that are read, the first that is not empty wins. */
  readonly environment: readonly string[];
  /** As gcloud's own configuration calls it. */
  readonly gcloud?: readonly [section: string, property: string];
  readonly fallback?: string;
  /** A relative path is relative to where it was written. */
  readonly isPath?: boolean;
  /** True where a variable may hold the file's content in place of its path. */
  readonly mayBeInline?: boolean;
  /** The option's name in the command tree, where it is not the setting's. */
  readonly option?: string;
}

/** Holds no path, whatever it holds. */

const WHERE = {
  project: {
    environment: ["CLOUDRUN_OAUTH_PROJECT", "PROJECT_ID", "GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"],
    gcloud: ["core", "project"],
  },
  region: {
    environment: ["CLOUDRUN_OAUTH_REGION", "GOOGLE_CLOUD_REGION", "CLOUDSDK_RUN_REGION"],
    gcloud: ["run", "region"],
    fallback: "us-central1",
  },
  service: { environment: ["CLOUDRUN_OAUTH_SERVICE", "SERVICE_NAME"] },
  image: { environment: ["CLOUDRUN_OAUTH_IMAGE"] },
  template: { environment: ["CLOUDRUN_OAUTH_TEMPLATE"], fallback: "hono" },
  credentials: {
    environment: CREDENTIAL_VARIABLES,
    isPath: true,
    mayBeInline: true,
  },
  impersonate: { environment: ["CLOUDRUN_OAUTH_IMPERSONATE_SERVICE_ACCOUNT"], option: "impersonateServiceAccount" },
  member: { environment: ["CLOUDRUN_OAUTH_MEMBER", "SERVICE_ACCOUNT_EMAIL"] },
  url: { environment: ["CLOUDRUN_OAUTH_URL", "CLOUD_RUN_SERVICE_URL"] },
  via: { environment: ["CLOUDRUN_OAUTH_VIA"] },
  engine: { environment: ["CLOUDRUN_OAUTH_ENGINE"], fallback: "auto" },
  record: { environment: ["CLOUDRUN_OAUTH_RECORD"], isPath: true },
} as const satisfies Record<string, Where>;

export type SettingName = keyof typeof WHERE;

export const SETTING_NAMES = Object.keys(WHERE) as SettingName[];

export interface Setting {
  readonly value: string;
  /** Where it came from, as it is shown to a person. */
  readonly source: string;
  /** True where the variable that is the source holds a credential itself, which no value here ever repeats. */
  readonly isInline?: boolean;
}

/** flag > environment > project file > profile > gcloud's own > default. Each place is read when it is first reached. */
export interface Settings {
  /** Throws SETTINGS_INVALID, which names the source, where the value breaks its rule. */
  get(name: SettingName): Setting | undefined;
  /** What the command line itself says, and nothing else. */
  flag(name: SettingName): string | undefined;
  /** The value; an argument of the command line goes before everything else. USAGE, with how to say it, where there is none. */
  require(name: SettingName, argument?: string): string;
  /** The profile in use, and the others. */
  readonly profiles: Profiles;
}

interface SettingsOptions {
  /** The options of the command line, by their long names. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Environment;
  readonly cwd: string;
  /** Where the project file is looked for, from there upwards; `cwd` where it is not said. */
  readonly folder?: string;
}

/** Flags are checked at once, everything else when it is asked for. */
export function openSettings({ flags, env, cwd, folder = cwd }: SettingsOptions): Settings {
  const projectFile = once(() => readProjectFile(folder));
  const gcloud = once(() => readGcloudConfiguration(env));
  const profile = typeof flags.profile === "string" ? flags.profile : env.CLOUDRUN_OAUTH_PROFILE || undefined;
  const profiles = openProfiles(profilesDirectory(env), profile);

  const places: readonly ((name: SettingName, where: Where) => Setting | undefined)[] = [
    (name, where) => readFlag(flags, name, where),
    (_, { environment }) => environment.map((source) => ({ value: env[source] ?? "", source })).find(({ value }) => value !== ""),
    (name) => found(projectFile()?.values[name], projectFile()?.path),
    (name) => found(profiles.values()[name], `profile ${profiles.current()}`),
    (_, { gcloud: keys }) => (keys ? found(gcloud()?.values[keys.join("/")], gcloud()?.name) : undefined),
    (_, { fallback }) => found(fallback, "default"),
  ];

  function get(name: SettingName): Setting | undefined {
    const where: Where = WHERE[name];
    for (const place of places) {
      const setting = place(name, where);
      if (!setting) continue;
      const isJson = setting.source === JSON_VARIABLE || readInline(setting.value) !== undefined;
      if (where.mayBeInline && where.environment.includes(setting.source) && isJson)
        return { value: "[inline]", source: setting.source, isInline: true };
      assertAllowed(name, setting);
      return where.isPath ? { ...setting, value: resolve(cwd, setting.value) } : setting;
    }
    return undefined;
  }

  for (const name of SETTING_NAMES) if (readFlag(flags, name, WHERE[name])) get(name);

  return {
    get,
    profiles,
    flag: (name) => readFlag(flags, name, WHERE[name])?.value,
    require(name, argument) {
      if (argument !== undefined) {
        assertAllowed(name, { value: argument, source: "the command line" });
        return argument;
      }
      const setting = get(name);
      if (setting) return setting.value;
      const where: Where = WHERE[name];
      const variable = where.environment.find((known) => known !== JSON_VARIABLE);
      throw new CliError("USAGE", `No ${name} is set.`, {
        hint: `Say ${optionOf(name, where)} ${name.toUpperCase()}, set ${variable}, or keep it: cloudrun-oauth config set ${name} ${name.toUpperCase()}`,
      });
    },
  };
}

/** What the command line says of a setting. */
function readFlag(flags: Readonly<Record<string, unknown>>, name: SettingName, where: Where): Setting | undefined {
  const value = flags[where.option ?? name];
  return typeof value === "string" ? { value, source: optionOf(name, where) } : undefined;
}

/** The option as it is typed. */
function optionOf(name: SettingName, { option = name }: Where): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function found(value: string | undefined, source: string | undefined): Setting | undefined {
  return value && source ? { value, source } : undefined;
}

function once<T>(read: () => T): () => T {
  let kept: { value: T } | undefined;
  return () => (kept ??= { value: read() }).value;
}

function homeDirectory(env: Environment): string {
  return env.HOME || env.USERPROFILE || homedir();
}

function profilesDirectory(env: Environment): string {
  if (env.CLOUDRUN_OAUTH_CONFIG_DIR) return env.CLOUDRUN_OAUTH_CONFIG_DIR;
  if (env.APPDATA) return join(env.APPDATA, "cloudrun-oauth");
  return join(env.XDG_CONFIG_HOME || join(homeDirectory(env), ".config"), "cloudrun-oauth");
}

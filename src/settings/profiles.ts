import Conf from "conf";
import { statSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../errors/cli-error.ts";
import { suggestMatch } from "../errors/closest-match.ts";
import { nextStep, type NextStep } from "../errors/next-step.ts";
import { parseProfiles, type ProfileValues, type StoredProfiles } from "./parse-profiles.ts";

/** A user's named sets of settings, across projects. */
export interface Profiles {
  /** The name of the active profile. */
  current(): string;
  names(): readonly string[];
  /** The settings of a profile, by default of the active one. Throws SETTINGS_INVALID if the active one was chosen and doesn't exist. */
  values(profile?: string): ProfileValues;
  /** Sets a setting of the active profile, or removes it if the value is undefined. */
  set(name: string, value: string | undefined): void;
  /** Makes a profile the active one, and creates it if it doesn't exist. */
  use(profile: string): void;
  /** Deletes a profile; if it was the active one, `default` becomes active. Throws NOT_FOUND if the profile doesn't exist. */
  delete(profile: string): void;
  /** The path of the file that has them. */
  readonly path: string;
}

/** Opens the profiles in a directory. Every function throws SETTINGS_INVALID if their file can't be read, written, or parsed. */
export function openProfiles(directory: string, chosen: string | undefined): Profiles {
  const path = join(directory, "config.json");
  let stored: StoredProfiles | undefined;
  const read = () => (stored ??= readProfiles(directory, path));
  const current = () => chosen ?? read().current ?? "default";

  function write(change: StoredProfiles): void {
    read();
    stored = undefined;
    try {
      openStore(directory, path).set(change);
    } catch (error) {
      throw new CliError("SETTINGS_INVALID", `Can't write ${path}: ${(error as Error).message}.`, { cause: error });
    }
  }

  return {
    path,
    current,
    names: () => [...new Set([...Object.keys(read().profiles ?? {}), current()])].toSorted(),
    values(profile) {
      if (profile !== undefined) return read().profiles?.[profile] ?? {};
      const values = read().profiles?.[current()];
      if (!values && chosen !== undefined && chosen !== "default")
        throw unknownProfile(
          "SETTINGS_INVALID",
          chosen,
          Object.keys(read().profiles ?? {}),
          nextStep("To create it", "config", "use", chosen),
        );
      return values ?? {};
    },
    set(name, value) {
      const { [name]: _, ...others } = read().profiles?.[current()] ?? {};
      const values = value === undefined ? others : { ...others, [name]: value };
      write({ profiles: { ...read().profiles, [current()]: values } });
    },
    use(profile) {
      write({ current: profile, profiles: { [profile]: {}, ...read().profiles } });
    },
    delete(profile) {
      const { [profile]: deleted, ...others } = read().profiles ?? {};
      if (!deleted) throw unknownProfile("NOT_FOUND", profile, Object.keys(others), nextStep("To list profiles", "config", "profiles"));
      write({ profiles: others, ...(read().current === profile && { current: "default" }) });
    },
  };
}

/** Most users have no profiles, and Conf takes a while to load: the bundle loads it when the code first uses it. */
function openStore(directory: string, path: string): Conf<StoredProfiles> {
  return new Conf({
    cwd: directory,
    configName: "config",
    accessPropertiesByDotNotation: false,
    deserialize: (text) => parseProfiles(path, text),
  });
}

function readProfiles(directory: string, path: string): StoredProfiles {
  try {
    statSync(path);
    return openStore(directory, path).store;
  } catch (error) {
    if (error instanceof CliError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return {};
    throw new CliError("SETTINGS_INVALID", `Can't read ${path}: ${message}.`, { cause: error });
  }
}

/** `step` is the command that helps if no profile has a similar name. */
function unknownProfile(code: "NOT_FOUND" | "SETTINGS_INVALID", name: string, others: readonly string[], step: NextStep): CliError {
  const suggestion = suggestMatch(name, others);
  return new CliError(code, `Profile "${name}" not found.`, {
    hint: suggestion ?? (others.length > 0 ? `Existing profiles: ${others.join(", ")}.` : undefined),
    next: suggestion ? [] : [step],
  });
}

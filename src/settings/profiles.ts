import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../errors/cli-error.ts";
import type { ErrorCode } from "../errors/exit-codes.ts";
import { closestMatch } from "../errors/closest-match.ts";

type Values = Readonly<Record<string, string>>;

/** Named sets of settings that a person keeps for himself, across projects. */
export interface Profiles {
  /** The name of the one in use. */
  current(): string;
  names(): readonly string[];
  /** The settings of the one in use, or of the one that is named; none for one that does not exist. Throws SETTINGS_INVALID where the one that was chosen does not. */
  values(profile?: string): Values;
  /** Sets one setting of the profile in use, or removes it where the value is undefined. */
  set(name: string, value: string | undefined): Promise<void>;
  /** Makes a profile the one in use from now on. */
  use(profile: string): Promise<void>;
  /** Deletes a profile with its settings; where it was the one in use, default is from then on. Throws NOT_FOUND where there is none. */
  delete(profile: string): Promise<void>;
  /** Where they are kept. */
  readonly path: string;
}

interface Kept {
  readonly current?: string;
  readonly profiles?: Readonly<Record<string, Values>>;
}

/** Reading is plain and lazy; what writes without ever leaving half a file is loaded for writing only. */
export function openProfiles(directory: string, chosen: string | undefined): Profiles {
  const path = join(directory, "config.json");
  let kept: Kept | undefined;
  const read = () => (kept ??= readKept(path));
  const current = () => chosen ?? read().current ?? "default";

  async function write(change: Kept): Promise<void> {
    const { writeFileSync } = await import("atomically");
    try {
      mkdirSync(directory, { recursive: true });
      writeFileSync(path, JSON.stringify({ ...read(), ...change }, undefined, "\t"));
    } catch (error) {
      throw new CliError("SETTINGS_INVALID", `${path} cannot be written: ${(error as Error).message}.`, { cause: error });
    }
    kept = undefined;
  }

  return {
    path,
    current,
    names: () => [...new Set([...Object.keys(read().profiles ?? {}), current()])].toSorted(),
    values(profile) {
      if (profile !== undefined) return read().profiles?.[profile] ?? {};
      const values = read().profiles?.[current()];
      if (!values && chosen !== undefined && chosen !== "default") throw unknownProfile(chosen, Object.keys(read().profiles ?? {}));
      return values ?? {};
    },
    async set(name, value) {
      const { [name]: _, ...others } = read().profiles?.[current()] ?? {};
      const values = value === undefined ? others : { ...others, [name]: value };
      await write({ profiles: { ...read().profiles, [current()]: values } });
    },
    async use(profile) {
      await write({ current: profile, profiles: { [profile]: {}, ...read().profiles } });
    },
    async delete(profile) {
      const { [profile]: deleted, ...others } = read().profiles ?? {};
      if (!deleted) throw unknownProfile(profile, Object.keys(others), "NOT_FOUND");
      await write({ profiles: others, ...(read().current === profile && { current: "default" }) });
    },
  };
}

function readKept(path: string): Kept {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new CliError("SETTINGS_INVALID", `${path} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
  try {
    return JSON.parse(text) as Kept;
  } catch (error) {
    throw new CliError("SETTINGS_INVALID", `${path} is not JSON: ${(error as Error).message}.`, {
      hint: "Mend the file, or delete it to start anew.",
      cause: error,
    });
  }
}

function unknownProfile(name: string, others: readonly string[], code: ErrorCode = "SETTINGS_INVALID"): CliError {
  const meant = closestMatch(name, others);
  return new CliError(code, `There is no profile "${name}"${others.length > 0 ? `: there are ${others.join(", ")}` : ""}.`, {
    // Whoever wants one deleted does not want it made.
    hint: meant
      ? `Did you mean ${meant}?`
      : code === "NOT_FOUND"
        ? "All of them: cloudrun-oauth config profiles"
        : `Make it: cloudrun-oauth config use ${name}`,
  });
}

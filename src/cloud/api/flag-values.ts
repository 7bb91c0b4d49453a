import { CliError } from "../../errors/cli-error.ts";
import { suggestMatch } from "../../errors/closest-match.ts";
import type { VariableMessage } from "../messages/v2-service.ts";
import { parseVariables } from "../environment-variables.ts";

interface Flag {
  readonly flag: string;
  readonly value: string;
}

/** The gcloud flags that the user passes, each with its value. Throws USAGE for a missing value, and what `refuse` returns for an unknown flag. */
export function parseFlags(
  words: readonly string[],
  kindOf: (flag: string) => "value" | "switch" | undefined,
  refuse: (flag: string) => Error,
): Flag[] {
  const flags: Flag[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const [, flag = "", attached] = /^([^=]*)(?:=([\s\S]*))?$/.exec(words[index] ?? "") ?? [];
    const kind = kindOf(flag);
    if (kind === undefined || (kind === "switch" && attached !== undefined)) throw refuse(flag);
    const value = kind === "switch" ? "" : (attached ?? words[(index += 1)]);
    if (value === undefined) throw new CliError("USAGE", `${flag} requires a value.`);
    flags.push({ flag, value });
  }
  return flags;
}

export function unknownToApi(flag: string, use: "build" | "deployment", known: readonly string[]): CliError {
  const suggestion = suggestMatch(flag, known);
  return new CliError("USAGE", `${flag} requires gcloud, but this ${use} uses Google's API.`, {
    hint: `${suggestion ? `${suggestion} ` : ""}The API supports ${known.join(", ")}. For other flags, install gcloud and pass --via gcloud.`,
    details: { flag },
  });
}

/** Reads a list in gcloud's format: separated by commas, or by what is between two ^ at its beginning. See gcloud topic escaping. */
export function readList(text: string): string[] {
  const [, delimiter = ",", rest = text] = /^\^([^^]+)\^([\s\S]*)$/.exec(text) ?? [];
  return rest.split(delimiter).filter((item) => item !== "");
}

export function readPairs(flag: string, text: string): [name: string, value: string][] {
  return readList(text).map((item) => {
    const at = item.indexOf("=");
    if (at < 1) throw new CliError("USAGE", `Invalid value "${item}" for ${flag}.`, { hint: "Use NAME=VALUE,NAME=VALUE." });
    return [item.slice(0, at), item.slice(at + 1)];
  });
}

/** Reads variables that have a value. Throws USAGE. */
export function readPlainVariables(text: string): VariableMessage[] {
  return Object.entries(parseVariables(readList(text))).map(([name, value]) => ({ name, value }));
}

/** Reads variables from secrets, `NAME=SECRET:VERSION`. Throws USAGE for a secret that becomes a file. */
export function readSecrets(flag: string, text: string): VariableMessage[] {
  return readPairs(flag, text).map(([name, reference]) => {
    const [, secret, version] = /^([A-Za-z0-9_-]+):([A-Za-z0-9_-]+)$/.exec(reference) ?? [];
    if (name.startsWith("/") || secret === undefined || version === undefined)
      throw new CliError("USAGE", `Invalid value "${name}=${reference}" for ${flag}.`, {
        hint: "Use NAME=SECRET:VERSION. To mount a secret as a file, install gcloud and pass --via gcloud.",
      });
    return { name, valueSource: { secretKeyRef: { secret, version } } };
  });
}

/** Reads one of several words; returns what it stands for. Throws USAGE. */
export function readChoice(flag: string, choices: Readonly<Record<string, string>>, text: string): string {
  const chosen = Object.hasOwn(choices, text) ? choices[text] : undefined;
  if (chosen !== undefined) return chosen;
  throw new CliError("USAGE", `Invalid value "${text}" for ${flag}.`, { hint: `Use ${Object.keys(choices).join(", ")}.` });
}

export function readNumber(flag: string, text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new CliError("USAGE", `Invalid value "${text}" for ${flag}.`, { hint: "Use a whole number." });
}

/** Reads a duration in gcloud's format, such as 300, 90s or 5m, in seconds. Throws USAGE. */
export function readSeconds(flag: string, text: string): number {
  const [, hours = 0, minutes = 0, seconds = 0] = /^(?=.)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?$/.exec(text) ?? [undefined, NaN];
  const sum = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  if (Number.isNaN(sum)) throw new CliError("USAGE", `Invalid duration "${text}" for ${flag}.`, { hint: "Examples: 90s, 5m, 1h." });
  return sum;
}

import type { SETTING_SOURCES, SettingName } from "../settings/setting-sources.ts";
import { parseDuration } from "./parse-duration.ts";

/** A flag of a command. The type parameters carry its key among the command's options, its value, and whether it always has one. */
export interface Flag<Key extends string = string, Value = unknown, IsAlwaysSet extends boolean = boolean> {
  /** As commander reads it: `-c, --concurrency <number>`, `--iap [client-id]`, `--no-cache`. */
  readonly spelling: string;
  readonly description: string;
  readonly parse?: (text: string) => unknown;
  readonly default?: unknown;
  readonly choices?: readonly string[];
  readonly isRepeatable?: boolean;
  readonly isRequired?: boolean;
  /** Appended to the key. */
  readonly unit?: "Ms";
  /** The heading in the command's help. */
  readonly group?: string;
  /** Known to the compiler only. */
  readonly option?: { readonly key: Key; readonly value: Value; readonly isAlwaysSet: IsAlwaysSet };
}

/** What a flag has besides its spelling and its description. */
type Details = Omit<Flag, "spelling" | "description" | "unit" | "option" | "group">;

/** A flag; its spelling says whether it takes a value. */
export function flag<const Spelling extends string, const Given extends Details = object>(
  spelling: Spelling,
  description: string,
  details?: Given,
): Flag<KeyOf<Spelling>, ValueOf<Spelling, Given>, IsAlwaysSet<Spelling, Given>> {
  return { spelling, description, ...details };
}

/** A flag that takes a duration; its key ends in Ms. */
export function durationFlag<const Spelling extends string>(
  spelling: Spelling,
  description: string,
  parse: (text: string) => number = parseDuration,
): Flag<`${KeyOf<Spelling>}Ms`, ValueOf<Spelling, { parse: () => number }>, false> {
  return { spelling, description, parse, unit: "Ms" };
}

/** A flag that sets a setting: commands read it from `context.settings`, and it isn't among their options. */
export function settingFlag<const Spelling extends `--${string} <${string}`>(
  spelling: Spelling & (KeyOf<Spelling> extends SettingKey ? unknown : never),
  description: string,
): Flag<never, string, false> {
  return { spelling, description };
}

type SettingKey = {
  [Name in SettingName]: (typeof SETTING_SOURCES)[Name] extends { readonly flag: infer Key } ? Key : Name;
}[SettingName];

/** The flags under a heading in the command's help. */
export function inGroup<const Flags extends readonly Flag[]>(group: string, flags: Flags): Flags {
  return flags.map((flag) => ({ ...flag, group })) as readonly Flag[] as Flags;
}

/** The options that a command with these flags gets. */
export type OptionsOf<Flags extends readonly Flag[]> = {
  readonly [Each in Flags[number] as Each extends Flag<infer Key, unknown, true> ? Key : never]: ValueIn<Each>;
} & {
  readonly [Each in Flags[number] as Each extends Flag<infer Key, unknown, false> ? Key : never]?: ValueIn<Each>;
};

type ValueIn<Each> = Each extends Flag<string, infer Value> ? Value : never;

/** The long name in camel case, without `no-`: how commander stores the value. */
type KeyOf<Spelling extends string> = LongName<Spelling> extends `no-${infer Name}` ? CamelCase<Name> : CamelCase<LongName<Spelling>>;

type LongName<Spelling extends string> = Spelling extends `${string}--${infer Rest}`
  ? Rest extends `${infer Name} ${string}`
    ? Name
    : Rest
  : never;

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<CamelCase<Tail>>}` : Name;

type ValueOf<Spelling extends string, Given> = Spelling extends `${string}<${string}`
  ? Given extends { readonly isRepeatable: true }
    ? readonly string[]
    : Parsed<Given>
  : Spelling extends `${string}[${string}`
    ? Parsed<Given> | true
    : boolean;

/** What becomes of the text of a flag or an argument. */
export type Parsed<Given> = Given extends { readonly choices: readonly (infer Choice)[] }
  ? Choice
  : Given extends { readonly parse: (text: string) => infer Value }
    ? Value
    : string;

type IsAlwaysSet<Spelling extends string, Given> = Given extends { readonly default: unknown } | { readonly isRequired: true }
  ? true
  : Spelling extends `${string}--no-${string}`
    ? true
    : false;

import type { Parsed } from "./flag.ts";

/** A positional argument of a command. The type parameter carries the value that the command gets. */
export interface Argument<Value = unknown> {
  /** As commander reads it: `<file>`, `[service]`, `[paths...]`. */
  readonly spelling: string;
  readonly description: string;
  readonly parse?: (text: string) => unknown;
  readonly choices?: readonly string[];
  /** Known to the compiler only. */
  readonly value?: Value;
}

/** An argument; its spelling says whether it can be left out or repeated. */
export function argument<const Spelling extends string, const Given extends Pick<Argument, "choices" | "parse"> = object>(
  spelling: Spelling,
  description: string,
  details?: Given,
): Argument<
  Spelling extends `${string}...${string}` ? readonly string[] : Spelling extends `[${string}` ? Parsed<Given> | undefined : Parsed<Given>
> {
  return { spelling, description, ...details };
}

/** The values that a command with these arguments gets. */
export type ArgumentsOf<Arguments extends readonly Argument[]> = {
  -readonly [Index in keyof Arguments]: Arguments[Index] extends Argument<infer Value> ? Value : never;
};

import type { Argument, ArgumentsOf } from "./argument.ts";
import type { Context } from "./context.ts";
import type { Flag, OptionsOf } from "./flag.ts";

/** A command of the command line, as help, completion and the parser know it. */
export interface CommandDefinition {
  readonly name: string;
  /** Shown in lists of commands. */
  readonly summary: string;
  /** Shown in the command's own help. */
  readonly description: string;
  /** Replaces the usage line that commander generates. */
  readonly usage?: string;
  readonly arguments?: readonly Argument[];
  readonly flags?: readonly Flag[];
  readonly examples?: readonly Example[];
  /** Whether the command takes what follows `--`. */
  readonly passesArguments?: boolean;
  /** Whether an argument can begin with a dash. */
  readonly takesUnknownFlags?: boolean;
  readonly commands?: readonly CommandDefinition[];
  /** Imports the code of the command. Without it, the command only has subcommands. */
  readonly load?: () => Promise<Handler<readonly unknown[]>>;
}

export type Example = readonly [line: string, meaning?: string];

/** The code of a command; its arguments and its options follow the context. It can resolve to an exit code. */
type Handler<Received extends readonly unknown[]> = (context: Context, ...received: Received) => Promise<number | void>;

interface TypedDefinition<Arguments, Flags, Run> extends Omit<CommandDefinition, "arguments" | "flags" | "load"> {
  readonly arguments?: Arguments;
  readonly flags?: Flags;
  readonly load: () => Promise<Run>;
}

/**
 * Defines a command. The compiler checks that the handler takes the declared arguments, and an option for each flag and no other; the last
 * parameter is left out if the command has no flags.
 */
export function defineCommand<
  Run extends Handler<never>,
  const Arguments extends readonly Argument[] = [],
  const Flags extends readonly Flag[] = [],
>(
  definition: TypedDefinition<Arguments, Flags, Run> & { readonly load: () => Promise<Checked<Arguments, Flags, Run>> },
): CommandDefinition {
  return definition as TypedDefinition<Arguments, Flags, Handler<readonly unknown[]>>;
}

/** Defines a noun, such as `keys`, whose subcommands do the work. */
export function defineNoun(
  definition: Pick<CommandDefinition, "name" | "summary" | "description"> & Required<Pick<CommandDefinition, "commands">>,
): CommandDefinition {
  return definition;
}

/** The handler's type if it fits, else an object whose keys say what differs: the error message shows it. */
type Checked<Arguments extends readonly Argument[], Flags extends readonly Flag[], Run> =
  Run extends Handler<infer Received>
    ? keyof OptionsOf<Flags> extends never
      ? CheckedArguments<ArgumentsOf<Arguments>, Received, Run>
      : Received extends readonly [...infer Values, infer Options]
        ? [DifferingKey<OptionsOf<Flags>, Options>] extends [never]
          ? CheckedArguments<ArgumentsOf<Arguments>, Values, Run>
          : { readonly optionsThatDiffer: DifferingKey<OptionsOf<Flags>, Options> }
        : { readonly missingOptions: OptionsOf<Flags> }
    : never;

type CheckedArguments<Declared, Received, Run> =
  IsSame<Declared, Received> extends true
    ? Run
    : { readonly argumentsThatDiffer: { readonly declared: Declared; readonly received: Received } };

/** The keys that only one side knows, whose types differ, or that the handler requires although the flag can be left out. */
type DifferingKey<Declared, Received> = {
  [Key in keyof Declared | keyof Received]: Key extends keyof Declared & keyof Received
    ? IsSame<Exclude<Declared[Key], undefined>, Exclude<Received[Key], undefined>> extends true
      ? Pick<Declared, Key> extends Pick<Received, Key>
        ? never
        : Key
      : Key
    : Key;
}[keyof Declared | keyof Received];

type IsSame<A, B> = [A, B] extends [B, A] ? true : false;

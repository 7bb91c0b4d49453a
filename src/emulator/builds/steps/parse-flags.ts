import { BuildError } from "../../engine/engine.ts";

interface FlagRules {
  /** How the command is called in error messages: `docker build`. */
  readonly command: string;
  /** Long names by short ones. */
  readonly aliases: Readonly<Record<string, string>>;
  readonly values: readonly string[];
  /** Flags without effect on the emulator, some with a value. */
  readonly ignored: readonly string[];
  readonly ignoredWithValue: readonly string[];
  readonly errorPrefix?: string;
}

/** Splits a step's args into flags, by their long names, and operands. Throws a BuildError for unknown flags and missing values. */
export function parseFlags(args: readonly string[], { command, aliases, values, ignored, ignoredWithValue, errorPrefix = "" }: FlagRules) {
  const flags: (readonly [flag: string, value: string])[] = [];
  const operands: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] as string;
    const [, name = arg, inline] = /^(--[\w-]+)=(.*)$/s.exec(arg) ?? [];
    const flag = aliases[name] ?? name;
    if (values.includes(flag) || ignoredWithValue.includes(flag)) {
      const value = inline ?? args[(index += 1)];
      if (value === undefined) throw new BuildError(`${errorPrefix}flag needs an argument: ${flag}`);
      flags.push([flag, value]);
    } else if (!flag.startsWith("-")) operands.push(arg);
    else if (!ignored.includes(flag)) throw new BuildError(`The emulator doesn't support ${command} ${flag}.`);
  }
  return { flags, operands };
}

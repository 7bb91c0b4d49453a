import type { ChalkInstance } from "chalk";
import type { Writable } from "node:stream";

interface ColorOptions {
  readonly stream: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** False under `--no-color`. */
  readonly color?: boolean;
}

/** Colors for a stream; undefined if it gets none. See https://no-color.org and https://force-color.org. */
export async function openColors({ stream, env, color = true }: ColorOptions): Promise<ChalkInstance | undefined> {
  if (!color || env.NO_COLOR || env.FORCE_COLOR === "0") return undefined;
  if (!env.FORCE_COLOR && (!stream.isTTY || env.TERM === "dumb")) return undefined;
  const { Chalk } = await import("chalk");
  return new Chalk({ level: 1 });
}

/** The stream without the colors that are written to it: prompts decide for themselves whether they color. Inverse stays, as it marks the cursor. */
export function withoutColors<Stream extends Writable>(stream: Stream): Stream {
  const write = (text: unknown, ...rest: never[]) => stream.write(typeof text === "string" ? text.replaceAll(COLORS, "") : text, ...rest);
  return new Proxy(stream, {
    get(target, name) {
      if (name === "write") return write;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

// oxlint-disable-next-line no-control-regex -- escape sequences are what it looks for
const COLORS = /\u001B\[(?!2?7m)[\d;]*m/g;

import { CliError } from "../../errors/cli-error.ts";
import type { Tell } from "../../terminal/progress.ts";
import { defineVerb, type Verb } from "../verb.ts";
import { gcloudLine, type Gcloud } from "./process.ts";

interface CommandVerb<Options, Result> {
  args(options: Options): readonly string[];
  input?(options: Options): string | undefined;
  /** Shows what gcloud prints on stderr; without it, only commands report what they do. */
  readonly showsProgress?: boolean;
  tell?(options: Options): Tell | undefined;
  read(stdout: string, options: Options): Result;
  explain?(error: unknown, options: Options): unknown;
}

export function commandVerb<Options, Result>(
  gcloud: Gcloud,
  { args, input, showsProgress, tell, read, explain = (error) => error }: CommandVerb<Options, Result>,
): Verb<Options, Result> {
  return defineVerb({
    plan: (options) => [gcloudLine(args(options), input?.(options))],
    async run(options) {
      const running = gcloud(args(options), { showsProgress, tell: tell?.(options), input: input?.(options) });
      const stdout = await running.catch((error: unknown) => {
        throw explain(error, options);
      });
      return read(stdout, options);
    },
  });
}

interface Scope {
  readonly project?: string;
  readonly region?: string;
  readonly location?: string;
}

/**
 * The arguments of a gcloud command that prints JSON. gcloud's own defaults are never relied on, and it never asks. The format comes last, since
 * gcloud takes the last of several: a flag that the user passes through can't change what is read.
 */
export function jsonCommand(
  words: readonly string[],
  { location, project, region }: Scope = {},
  userFlags: readonly string[] = [],
): string[] {
  return [
    ...words,
    ...flag("--location", location),
    ...flag("--project", project),
    ...flag("--region", region),
    "--quiet",
    ...userFlags,
    "--format=json",
  ];
}

export function flag(name: string, value: string | undefined): string[] {
  return value === undefined || value === "" ? [] : [name, value];
}

/** `A=1,B=2`, for values without a comma. */
export function joinPairs(pairs: Readonly<Record<string, string>> = {}): string {
  return Object.entries(pairs)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}

/** The object or array that gcloud prints. Throws GCLOUD_FAILED for anything else, such as what it prints for `--help`. */
export function parseGcloudJson<Message extends object>(stdout: string): Message {
  let value: unknown;
  try {
    value = JSON.parse(stdout);
  } catch {
    // The parser's error quotes the text, which can hold the value of an environment variable.
  }
  if (typeof value === "object" && value !== null) return value as Message;
  throw new CliError("GCLOUD_FAILED", "gcloud succeeded, but its output isn't JSON.", {
    hint: "Remove flags after -- that change gcloud's output. To see the gcloud command, pass --verbose.",
  });
}

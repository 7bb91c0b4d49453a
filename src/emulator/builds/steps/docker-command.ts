import { BuildError } from "../../engine/engine.ts";

/** The commands that a step of `gcr.io/cloud-builders/docker` can run here. */
export type DockerCommand =
  | { readonly verb: "build"; readonly tags: readonly string[]; readonly dockerfile: string | undefined; readonly context: string }
  | { readonly verb: "push"; readonly reference: string }
  | { readonly verb: "tag"; readonly source: string; readonly target: string };

/** Flags of `docker build` without effect on the emulator's engines. */
const IGNORED = new Set(["--no-cache", "--pull", "--quiet", "-q", "--rm", "--force-rm"]);
// Unlike Cloud Run: docker build ignores --label and --platform: images have no labels and are built for the host's platform.
const IGNORED_WITH_VALUE = new Set(["--network", "--label", "--progress", "--platform", "--cache-from"]);

/**
 * Parses a docker step's args: https://docs.docker.com/reference/cli/docker/. Throws a BuildError for unsupported
 * commands.
 */
export function parseDockerCommand(args: readonly string[]): DockerCommand {
  const [verb, ...rest] = args;
  switch (verb) {
    case "build":
      return parseBuild(rest);
    case "push":
      return { verb, reference: operands(verb, rest, 1)[0] as string };
    case "tag": {
      const [source, target] = operands(verb, rest, 2) as [string, string];
      return { verb, source, target };
    }
    default:
      throw new BuildError(`The emulator only runs docker build, push and tag steps, not docker ${verb ?? "without arguments"}.`);
  }
}

function parseBuild(args: readonly string[]): DockerCommand {
  const tags: string[] = [];
  const contexts: string[] = [];
  let dockerfile: string | undefined;
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] as string;
    const [, flag = arg, inline] = /^(--[\w-]+)=(.*)$/s.exec(arg) ?? [];
    const value = (): string => {
      const text = inline ?? args[++index];
      if (text === undefined) throw new BuildError(`flag needs an argument: ${flag}`);
      return text;
    };
    if (flag === "-t" || flag === "--tag") tags.push(value());
    else if (flag === "-f" || flag === "--file") dockerfile = value();
    else if (IGNORED_WITH_VALUE.has(flag)) value();
    else if (flag.startsWith("-") && !IGNORED.has(flag)) throw new BuildError(`The emulator does not support docker build ${flag}.`);
    else if (!flag.startsWith("-")) contexts.push(arg);
  }
  const [context] = contexts;
  if (context === undefined || contexts.length > 1) throw new BuildError('"docker build" requires exactly 1 argument.');
  return { verb: "build", tags, dockerfile, context };
}

function operands(verb: string, args: readonly string[], count: number): readonly string[] {
  const flag = args.find((arg) => arg.startsWith("-"));
  if (flag !== undefined) throw new BuildError(`The emulator does not support docker ${verb} ${flag}.`);
  if (args.length !== count) throw new BuildError(`"docker ${verb}" requires exactly ${count} argument${count > 1 ? "s" : ""}.`);
  return args;
}

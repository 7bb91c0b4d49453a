import { BuildError } from "../../engine/engine.ts";
import { parseFlags } from "./parse-flags.ts";

/** The commands that a step of `gcr.io/cloud-builders/docker` can run here. */
export type DockerCommand =
  | { readonly verb: "build"; readonly tags: readonly string[]; readonly dockerfile: string | undefined; readonly context: string }
  | { readonly verb: "push"; readonly reference: string }
  | { readonly verb: "tag"; readonly source: string; readonly target: string };

// Unlike Cloud Run: docker build ignores --label and --platform: images have no labels and are built for the host's platform.
const BUILD_FLAGS = {
  command: "docker build",
  aliases: {},
  values: ["-t", "--tag", "-f", "--file"],
  ignored: ["--no-cache", "--pull", "--quiet", "-q", "--rm", "--force-rm"],
  ignoredWithValue: ["--network", "--label", "--progress", "--platform", "--cache-from"],
};

/** Parses a docker step's args: https://docs.docker.com/reference/cli/docker/. Throws a BuildError for unsupported commands. */
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
      throw new BuildError(`The emulator supports only docker build, push, and tag, not docker ${verb ?? "without arguments"}.`);
  }
}

function parseBuild(args: readonly string[]): DockerCommand {
  const { flags, operands: contexts } = parseFlags(args, BUILD_FLAGS);
  const [context] = contexts;
  if (context === undefined || contexts.length > 1) throw new BuildError('"docker build" requires exactly 1 argument.');
  const valuesOf = (...names: readonly string[]) => flags.filter(([flag]) => names.includes(flag)).map(([, value]) => value);
  return { verb: "build", tags: valuesOf("-t", "--tag"), dockerfile: valuesOf("-f", "--file").at(-1), context };
}

function operands(verb: string, args: readonly string[], count: number): readonly string[] {
  const flag = args.find((arg) => arg.startsWith("-"));
  if (flag !== undefined) throw new BuildError(`The emulator doesn't support docker ${verb} ${flag}.`);
  if (args.length !== count) throw new BuildError(`"docker ${verb}" requires exactly ${count} argument${count > 1 ? "s" : ""}.`);
  return args;
}

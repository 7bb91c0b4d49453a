import { BuildError } from "../../engine/engine.ts";

/** The commands that a step of `gcr.io/k8s-skaffold/pack` can run here. */
export type PackCommand =
  | {
      readonly verb: "build";
      readonly images: readonly [string, ...string[]];
      readonly env: Readonly<Record<string, string>>;
      readonly path: string;
    }
  | { readonly verb: "default-builder"; readonly builder: string };

const FLAG_ALIASES: Readonly<Record<string, string>> = {
  "-B": "--builder",
  "-e": "--env",
  "-p": "--path",
  "-t": "--tag",
  "-q": "--quiet",
  "-v": "--verbose",
};
/** Flags without effect on the emulator. */
const IGNORED = new Set(["--quiet", "--verbose", "--trust-builder", "--clear-cache", "--no-color", "--timestamps"]);
const IGNORED_WITH_VALUE = new Set(["--network", "--pull-policy", "--cache-image", "--run-image"]);

/**
 * Parses a pack step's args:
 * https://buildpacks.io/docs/for-platform-operators/how-to/integrate-ci/pack/cli/pack_build/. Throws a BuildError for
 * unsupported commands.
 */
export function parsePackCommand(args: readonly string[]): PackCommand {
  const [verb, ...rest] = args;
  if (verb === "config" && rest[0] === "default-builder" && rest[1]) return { verb: "default-builder", builder: checkBuilder(rest[1]) };
  if (verb !== "build")
    throw new BuildError(`The emulator only runs pack build and pack config default-builder, not pack ${args.slice(0, 2).join(" ")}.`);
  const images: string[] = [];
  const tags: string[] = [];
  const env: Record<string, string> = {};
  let path = ".";
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] as string;
    const [, given = word, inline] = /^(--[\w-]+)=(.*)$/s.exec(word) ?? [];
    const flag = FLAG_ALIASES[given] ?? given;
    const value = (): string => {
      const text = inline ?? rest[++index];
      if (text === undefined) throw new BuildError(`ERROR: flag needs an argument: ${flag}`);
      return text;
    };
    if (flag === "--env") {
      const [, name = "", content = ""] = /^([^=]*)=?(.*)$/s.exec(value()) ?? [];
      // gcloud adds the quotes that a shell would remove.
      env[name] = content.replace(/^"(.*)"$/s, "$1");
    } else if (flag === "--builder") checkBuilder(value());
    else if (flag === "--path") path = value();
    else if (flag === "--tag") tags.push(value());
    else if (IGNORED_WITH_VALUE.has(flag)) value();
    else if (flag.startsWith("-") && !IGNORED.has(flag)) throw new BuildError(`The emulator does not support pack build ${flag}.`);
    else if (!flag.startsWith("-")) images.push(word);
  }
  const [image] = images;
  if (image === undefined || images.length > 1) throw new BuildError(`ERROR: accepts 1 arg(s), received ${images.length}`);
  return { verb: "build", images: [image, ...tags], env, path };
}

/** Throws for builders other than Google's: their behavior is unknown. */
function checkBuilder(builder: string): string {
  if (/^gcr\.io\/(buildpacks|gae-runtimes\/buildpacks)\/[\w/-]*builder([:@].*)?$|^gcr\.io\/buildpacks\/builder([:@].*)?$/.test(builder))
    return builder;
  throw new BuildError(`The emulator stands in for gcr.io/buildpacks/builder only, not for ${builder}.`);
}

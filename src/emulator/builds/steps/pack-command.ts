import { BuildError } from "../../engine/engine.ts";

/** What a step of `gcr.io/k8s-skaffold/pack` may do here. */
export type PackCommand =
  | {
      readonly verb: "build";
      readonly images: readonly [string, ...string[]];
      readonly env: Readonly<Record<string, string>>;
      readonly path: string;
    }
  | { readonly verb: "default-builder"; readonly builder: string };

const FLAGS: Readonly<Record<string, string>> = {
  "-B": "--builder",
  "-e": "--env",
  "-p": "--path",
  "-t": "--tag",
  "-q": "--quiet",
  "-v": "--verbose",
};
/** Flags that make no difference to what the emulator does. */
const IGNORED = new Set(["--quiet", "--verbose", "--trust-builder", "--clear-cache", "--no-color", "--timestamps"]);
const IGNORED_WITH_VALUE = new Set(["--network", "--pull-policy", "--cache-image", "--run-image"]);

/** Reads a pack step's args: https://buildpacks.io/docs/for-platform-operators/how-to/integrate-ci/pack/cli/pack_build/. Throws a BuildError for what is not carried out. */
export function parsePackCommand(args: readonly string[]): PackCommand {
  const [verb, ...rest] = args;
  if (verb === "config" && rest[0] === "default-builder" && rest[1]) return { verb: "default-builder", builder: readBuilder(rest[1]) };
  if (verb !== "build")
    throw new BuildError(`The emulator only runs pack build and pack config default-builder, not pack ${args.slice(0, 2).join(" ")}.`);
  const images: string[] = [];
  const tags: string[] = [];
  const env: Record<string, string> = {};
  let path = ".";
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] as string;
    const [, given = word, inline] = /^(--[\w-]+)=(.*)$/s.exec(word) ?? [];
    const flag = FLAGS[given] ?? given;
    const value = (): string => {
      const text = inline ?? rest[++index];
      if (text === undefined) throw new BuildError(`ERROR: flag needs an argument: ${flag}`);
      return text;
    };
    if (flag === "--env") {
      const [, name = "", content = ""] = /^([^=]*)=?(.*)$/s.exec(value()) ?? [];
      // gcloud puts the quotes in that a shell would take away.
      env[name] = content.replace(/^"(.*)"$/s, "$1");
    } else if (flag === "--builder") readBuilder(value());
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

/** Throws for builders that are not Google's own: what theirs do is not known. */
function readBuilder(builder: string): string {
  if (/^gcr\.io\/(buildpacks|gae-runtimes\/buildpacks)\/[\w/-]*builder([:@].*)?$|^gcr\.io\/buildpacks\/builder([:@].*)?$/.test(builder))
    return builder;
  throw new BuildError(`The emulator stands in for gcr.io/buildpacks/builder only, not for ${builder}.`);
}

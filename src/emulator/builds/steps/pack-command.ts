import { BuildError } from "../../engine/engine.ts";
import { parseFlags } from "./parse-flags.ts";

/** The commands that a step of `gcr.io/k8s-skaffold/pack` can run here. */
export type PackCommand =
  | {
      readonly verb: "build";
      readonly images: readonly [string, ...string[]];
      readonly env: Readonly<Record<string, string>>;
      readonly path: string;
    }
  | { readonly verb: "default-builder"; readonly builder: string };

const BUILD_FLAGS = {
  command: "pack build",
  aliases: { "-B": "--builder", "-e": "--env", "-p": "--path", "-t": "--tag", "-q": "--quiet", "-v": "--verbose" },
  values: ["--builder", "--env", "--path", "--tag"],
  ignored: ["--quiet", "--verbose", "--trust-builder", "--clear-cache", "--no-color", "--timestamps"],
  ignoredWithValue: ["--network", "--pull-policy", "--cache-image", "--run-image"],
  errorPrefix: "ERROR: ",
};

/** https://buildpacks.io/docs/for-platform-operators/how-to/integrate-ci/pack/cli/pack_build/. Throws a BuildError. */
export function parsePackCommand(args: readonly string[]): PackCommand {
  const [verb, ...rest] = args;
  if (verb === "config" && rest[0] === "default-builder" && rest[1]) return { verb: "default-builder", builder: checkBuilder(rest[1]) };
  if (verb !== "build")
    throw new BuildError(`The emulator supports only pack build and pack config default-builder, not pack ${args.slice(0, 2).join(" ")}.`);
  const { flags, operands: images } = parseFlags(rest, BUILD_FLAGS);
  const tags: string[] = [];
  const env: Record<string, string> = {};
  let path = ".";
  for (const [flag, value] of flags) {
    if (flag === "--builder") checkBuilder(value);
    if (flag === "--path") path = value;
    if (flag === "--tag") tags.push(value);
    if (flag !== "--env") continue;
    const [, name = "", content = ""] = /^([^=]*)=?(.*)$/s.exec(value) ?? [];
    // gcloud adds the quotes that a shell would remove.
    env[name] = content.replace(/^"(.*)"$/s, "$1");
  }
  const [image] = images;
  if (image === undefined || images.length > 1) throw new BuildError(`ERROR: accepts 1 arg(s), received ${images.length}`);
  return { verb: "build", images: [image, ...tags], env, path };
}

/** Throws for builders other than Google's: their behavior is unknown. */
function checkBuilder(builder: string): string {
  if (/^gcr\.io\/(buildpacks|gae-runtimes\/buildpacks)\/[\w/-]*builder([:@].*)?$|^gcr\.io\/buildpacks\/builder([:@].*)?$/.test(builder))
    return builder;
  throw new BuildError(`The emulator supports only gcr.io/buildpacks/builder, not ${builder}.`);
}

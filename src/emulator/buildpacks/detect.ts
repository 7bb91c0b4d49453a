import { BuildError } from "../engine/engine.ts";
import type { Application, BuildEnvironment, Entrypoint } from "./application.ts";
import { buildNode } from "./node.ts";
import { buildPython } from "./python.ts";
import type { Source } from "./source.ts";

/** What tells a language whose buildpack Google has and the emulator has not. */
const OTHERS: readonly (readonly [pattern: RegExp, language: string])[] = [
  [/^go\.mod$|\.go$/, "Go"],
  [/^(pom\.xml|build\.gradle(\.kts)?)$|\.jar$/, "Java"],
  [/^[^/]*\.(cs|fs|vb)proj$/, ".NET"],
  [/^Gemfile$/, "Ruby"],
  [/^composer\.json$|^index\.php$/, "PHP"],
  [/^pubspec\.yaml$/, "Dart"],
];

/**
 * Finds the buildpacks of Google's builder that fit a source, in the builder's order: https://github.com/GoogleCloudPlatform/buildpacks.
 * Undefined where none fits; throws a BuildError where one fits and fails.
 */
export function detect(source: Source, env: BuildEnvironment): Application | undefined {
  const entrypoint = findEntrypoint(source, env);
  const isPython = fits(env, "python", () => source.hasLike(/\.py$/));
  const isNode = fits(env, "nodejs", () => source.has("package.json") || source.hasLike(/^[^/]*\.js$/));
  if (env["GOOGLE_FUNCTION_TARGET"])
    throw new BuildError("The emulator's buildpacks build applications, and no functions (GOOGLE_FUNCTION_TARGET).");
  if (isPython && entrypoint) return buildPython(source, env, entrypoint);
  if (isNode && (source.has("package.json") || entrypoint)) return buildNode(source, env, entrypoint);
  if (isPython) return buildPython(source, env, undefined);
  // Unlike Cloud Run: there are buildpacks for Node and Python only.
  const [, other] = OTHERS.find(([pattern]) => source.hasLike(pattern)) ?? [];
  if (other !== undefined)
    throw new BuildError(`The emulator has buildpacks for Node and Python, and none for ${other}. A Dockerfile may say how to build this.`);
  return undefined;
}

/** Whether a language is meant: GOOGLE_RUNTIME names it, or leaves it to the files. */
function fits(env: BuildEnvironment, language: string, looks: () => boolean): boolean {
  const runtime = env["GOOGLE_RUNTIME"];
  return runtime ? runtime.startsWith(language) : looks();
}

/** https://cloud.google.com/docs/buildpacks/build-application#specify_an_entrypoint */
function findEntrypoint(source: Source, env: BuildEnvironment): Entrypoint | undefined {
  const said = env["GOOGLE_ENTRYPOINT"];
  if (said) return { command: said, note: `Using entrypoint from environment variable GOOGLE_ENTRYPOINT: ${said}` };
  if (!source.has("Procfile")) return undefined;
  const processes = [...source.read("Procfile").matchAll(/^([A-Za-z0-9_-]+):[ \t]*(.+?)[ \t]*\r?$/gm)].map(
    ([, name = "", command = ""]) => ({ name, command }),
  );
  const command = processes.find(({ name }) => name === "web")?.command;
  if (command === undefined)
    throw new BuildError(`web process not found in Procfile, found processes: [${processes.map(({ name }) => name).join(" ")}]`);
  return { command, note: `Using entrypoint from Procfile: ${command}` };
}

import { BuildError } from "../engine/engine.ts";
import type { Application, BuildEnvironment, Entrypoint } from "./application.ts";
import { planNodeApplication } from "./node.ts";
import { planPythonApplication } from "./python.ts";
import type { SourceFiles } from "./source-files.ts";

/** Files of languages for which Google has a buildpack and the emulator doesn't. */
const UNSUPPORTED_LANGUAGES: readonly (readonly [pattern: RegExp, language: string])[] = [
  [/^go\.mod$|\.go$/, "Go"],
  [/^(pom\.xml|build\.gradle(\.kts)?)$|\.jar$/, "Java"],
  [/^[^/]*\.(cs|fs|vb)proj$/, ".NET"],
  [/^Gemfile$/, "Ruby"],
  [/^composer\.json$|^index\.php$/, "PHP"],
  [/^pubspec\.yaml$/, "Dart"],
];

/**
 * Finds the buildpacks in Google's builder that match a source, in the builder's order: https://github.com/GoogleCloudPlatform/buildpacks.
 * Undefined if none matches; throws a BuildError if one matches and fails.
 */
export function detectApplication(source: SourceFiles, env: BuildEnvironment): Application | undefined {
  const entrypoint = findEntrypoint(source, env);
  const isPython = isLanguage(env, "python", () => source.hasMatch(/\.py$/));
  const isNode = isLanguage(env, "nodejs", () => source.has("package.json") || source.hasMatch(/^[^/]*\.js$/));
  if (env["GOOGLE_FUNCTION_TARGET"]) throw new BuildError("The emulator's buildpacks don't support functions (GOOGLE_FUNCTION_TARGET).");
  if (isPython && entrypoint) return planPythonApplication(source, env, entrypoint);
  if (isNode && (source.has("package.json") || entrypoint)) return planNodeApplication(source, env, entrypoint);
  if (isPython) return planPythonApplication(source, env, undefined);
  // Unlike Cloud Run: buildpacks exist for Node and Python only.
  const [, unsupported] = UNSUPPORTED_LANGUAGES.find(([pattern]) => source.hasMatch(pattern)) ?? [];
  if (unsupported !== undefined)
    throw new BuildError(`The emulator has buildpacks only for Node.js and Python, not for ${unsupported}. Add a Dockerfile.`);
  return undefined;
}

/** Whether GOOGLE_RUNTIME names a language, or else the source's files match it. */
function isLanguage(env: BuildEnvironment, language: string, hasFiles: () => boolean): boolean {
  const runtime = env["GOOGLE_RUNTIME"];
  return runtime ? runtime.startsWith(language) : hasFiles();
}

/** https://cloud.google.com/docs/buildpacks/build-application#specify_an_entrypoint */
function findEntrypoint(source: SourceFiles, env: BuildEnvironment): Entrypoint | undefined {
  const explicit = env["GOOGLE_ENTRYPOINT"];
  if (explicit) return { command: explicit, note: `Using entrypoint from environment variable GOOGLE_ENTRYPOINT: ${explicit}` };
  if (!source.has("Procfile")) return undefined;
  const processes = [...source.read("Procfile").matchAll(/^([A-Za-z0-9_-]+):[ \t]*(.+?)[ \t]*\r?$/gm)].map(
    ([, name = "", command = ""]) => ({ name, command }),
  );
  const command = processes.find(({ name }) => name === "web")?.command;
  if (command === undefined)
    throw new BuildError(`web process not found in Procfile, found processes: [${processes.map(({ name }) => name).join(" ")}]`);
  return { command, note: `Using entrypoint from Procfile: ${command}` };
}

import { BuildError } from "../engine/engine.ts";
import {
  dockerfileHeader,
  entrypointBuildpack,
  shellCmd,
  type Application,
  type BuildEnvironment,
  type Entrypoint,
} from "./application.ts";
import type { SourceFiles } from "./source-files.ts";

const DEFAULT_VERSION = "22";
/** Lock files of unsupported package managers, in the order in which they are looked for. */
const UNSUPPORTED_LOCK_FILES: Readonly<Record<string, string>> = {
  "yarn.lock": "Yarn",
  "pnpm-lock.yaml": "pnpm",
  "bun.lock": "Bun",
  "bun.lockb": "Bun",
};

interface PackageJson {
  readonly main?: string;
  readonly engines?: { readonly node?: string };
  readonly scripts?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** https://cloud.google.com/docs/buildpacks/nodejs. Throws a BuildError for an invalid package.json and other package managers. */
export function planNodeApplication(source: SourceFiles, env: BuildEnvironment, entrypoint: Entrypoint | undefined): Application {
  const manifest = source.has("package.json") ? readManifest(source) : undefined;
  const version = majorVersion(env["GOOGLE_NODEJS_VERSION"] ?? env["GOOGLE_RUNTIME_VERSION"] ?? manifest?.engines?.node);
  const install = manifest ? planInstall(source, manifest, env) : { notes: [], lines: [] };
  return {
    buildpacks: [
      { id: "google.nodejs.runtime", title: "Node.js - Runtime", notes: [`Installing Node.js v${version}.`] },
      ...(manifest ? [{ id: "google.nodejs.npm", title: "Node.js - Npm", notes: install.notes }] : []),
      ...(entrypoint ? [entrypointBuildpack(entrypoint)] : []),
    ],
    dockerfile: [
      ...dockerfileHeader(`node:${version}-slim`, env),
      ...install.lines,
      `ENV NODE_ENV=${env["NODE_ENV"] || "production"} PATH=/workspace/node_modules/.bin:$PATH`,
      entrypoint ? shellCmd(entrypoint.command) : `CMD ${JSON.stringify(startCommand(source, manifest))}`,
    ].join("\n"),
  };
}

function readManifest(source: SourceFiles): PackageJson {
  for (const [file, manager] of Object.entries(UNSUPPORTED_LOCK_FILES)) {
    // Unlike Cloud Run: buildpacks install with npm and pip only.
    if (source.has(file)) throw new BuildError(`The emulator's buildpacks support npm, not ${manager} (${file}). Add a Dockerfile.`);
  }
  try {
    return JSON.parse(source.read("package.json")) as PackageJson;
  } catch (error) {
    throw new BuildError(`unmarshalling package.json: ${(error as Error).message}`, { cause: error });
  }
}

function planInstall(source: SourceFiles, manifest: PackageJson, env: BuildEnvironment): { notes: string[]; lines: string[] } {
  const scripts = buildScripts(manifest, env);
  const isLocked = source.has("package-lock.json") || source.has("npm-shrinkwrap.json");
  // A build can need more packages than running needs.
  const buildEnv = env["NODE_ENV"] || (scripts.length > 0 ? "development" : "production");
  const shouldPrune =
    scripts.length > 0 && Object.keys(manifest.devDependencies ?? {}).length > 0 && (env["NODE_ENV"] || "production") === "production";
  return {
    notes: [
      ...(isLocked
        ? []
        : ["Generating package-lock.json.", "WARNING: *** Improve build performance by generating and committing package-lock.json."]),
      "Installing application dependencies.",
    ],
    lines: [
      `ARG NODE_ENV=${buildEnv}`,
      ...(isLocked ? [] : ["RUN npm install --package-lock-only --quiet"]),
      "RUN npm ci --quiet --no-fund --no-audit",
      ...scripts.map((script) => `RUN npm run ${script}`),
      ...(shouldPrune ? ["RUN npm prune --omit=dev"] : []),
    ],
  };
}

/** The build scripts, in the buildpack's order of precedence. */
function buildScripts({ scripts = {} }: PackageJson, env: BuildEnvironment): string[] {
  const scriptNames = env["GOOGLE_NODE_RUN_SCRIPTS"];
  if (scriptNames !== undefined)
    return scriptNames
      .split(",")
      .map((name) => name.trim())
      .filter((name) => /^[\w:.-]+$/.test(name));
  const name = ["gcp-build", "build"].find((candidate) => candidate in scripts);
  return name === undefined || scripts[name]?.trim() === "" ? [] : [name];
}

function startCommand(source: SourceFiles, manifest: PackageJson | undefined): string[] {
  if (manifest?.scripts?.["start"] !== undefined || source.has("server.js")) return ["npm", "run", "start"];
  return ["node", manifest?.main || "index.js"];
}

function majorVersion(range = ""): string {
  return /^[\^~v=\s]*(\d+)(\.[\dxX*]+)*$/.exec(range.trim())?.[1] ?? DEFAULT_VERSION;
}

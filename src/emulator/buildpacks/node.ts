import { BuildError } from "../engine/engine.ts";
import {
  beginDockerfile,
  entrypointBuildpack,
  startByShell,
  type Application,
  type BuildEnvironment,
  type Entrypoint,
} from "./application.ts";
import type { Source } from "./source.ts";

const DEFAULT_VERSION = "22";
/** Lock files of package managers that the emulator has not, in the order in which they are looked for. */
const OTHER_LOCKS: Readonly<Record<string, string>> = {
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

/** Node.js by npm: https://cloud.google.com/docs/buildpacks/nodejs. Throws a BuildError for a package.json that is none, and for other package managers. */
export function buildNode(source: Source, env: BuildEnvironment, entrypoint: Entrypoint | undefined): Application {
  const manifest = source.has("package.json") ? readManifest(source) : undefined;
  const version = versionOf(env["GOOGLE_NODEJS_VERSION"] ?? env["GOOGLE_RUNTIME_VERSION"] ?? manifest?.engines?.node);
  const install = manifest ? installation(source, manifest, env) : { notes: [], lines: [] };
  return {
    buildpacks: [
      { id: "google.nodejs.runtime", title: "Node.js - Runtime", notes: [`Installing Node.js v${version}.`] },
      ...(manifest ? [{ id: "google.nodejs.npm", title: "Node.js - Npm", notes: install.notes }] : []),
      ...(entrypoint ? [entrypointBuildpack(entrypoint)] : []),
    ],
    dockerfile: [
      ...beginDockerfile(`node:${version}-slim`, env),
      ...install.lines,
      `ENV NODE_ENV=${env["NODE_ENV"] || "production"} PATH=/workspace/node_modules/.bin:$PATH`,
      entrypoint ? startByShell(entrypoint.command) : `CMD ${JSON.stringify(startCommand(source, manifest))}`,
    ].join("\n"),
  };
}

function readManifest(source: Source): PackageJson {
  for (const [file, manager] of Object.entries(OTHER_LOCKS)) {
    // Unlike Cloud Run: buildpacks install by npm and pip only.
    if (source.has(file))
      throw new BuildError(
        `The emulator's buildpacks install by npm, and not by ${manager}, which ${file} is for. A Dockerfile may say more.`,
      );
  }
  try {
    return JSON.parse(source.read("package.json")) as PackageJson;
  } catch (error) {
    throw new BuildError(`unmarshalling package.json: ${(error as Error).message}`, { cause: error });
  }
}

function installation(source: Source, manifest: PackageJson, env: BuildEnvironment): { notes: string[]; lines: string[] } {
  const scripts = buildScripts(manifest, env);
  const locked = source.has("package-lock.json") || source.has("npm-shrinkwrap.json");
  // What is needed to build is more than what is needed to run.
  const buildEnv = env["NODE_ENV"] || (scripts.length > 0 ? "development" : "production");
  const prunes =
    scripts.length > 0 && Object.keys(manifest.devDependencies ?? {}).length > 0 && (env["NODE_ENV"] || "production") === "production";
  return {
    notes: [
      ...(locked
        ? []
        : ["Generating package-lock.json.", "WARNING: *** Improve build performance by generating and committing package-lock.json."]),
      "Installing application dependencies.",
    ],
    lines: [
      `ARG NODE_ENV=${buildEnv}`,
      ...(locked ? [] : ["RUN npm install --package-lock-only --quiet"]),
      "RUN npm ci --quiet --no-fund --no-audit",
      ...scripts.map((script) => `RUN npm run ${script}`),
      ...(prunes ? ["RUN npm prune --omit=dev"] : []),
    ],
  };
}

/** The scripts that make the application, in the order of precedence that the buildpack has. */
function buildScripts({ scripts = {} }: PackageJson, env: BuildEnvironment): string[] {
  const said = env["GOOGLE_NODE_RUN_SCRIPTS"];
  if (said !== undefined)
    return said
      .split(",")
      .map((name) => name.trim())
      .filter((name) => /^[\w:.-]+$/.test(name));
  const name = ["gcp-build", "build"].find((each) => each in scripts);
  return name === undefined || scripts[name]?.trim() === "" ? [] : [name];
}

function startCommand(source: Source, manifest: PackageJson | undefined): string[] {
  if (manifest?.scripts?.["start"] !== undefined || source.has("server.js")) return ["npm", "run", "start"];
  return ["node", manifest?.main || "index.js"];
}

/** The major version that a range asks for, where it asks for one. */
function versionOf(range = ""): string {
  return /^[\^~v=\s]*(\d+)(\.[\dxX*]+)*$/.exec(range.trim())?.[1] ?? DEFAULT_VERSION;
}

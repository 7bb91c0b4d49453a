import { accessSync, constants } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { BuildError } from "./engine.ts";

/** What of this machine stands in for base images. */
export interface Machine {
  /** The `node` to run, absolute. */
  readonly node: string;
  /** The Python to run; the first `python3` on PATH where it is undefined. */
  readonly python: string | undefined;
  /** The environment that programs and the facts of package registries are looked up in. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The machine's Python, absolute. Throws a BuildError where there is none. */
export function findPython({ python, env }: Machine): string {
  const found = findOnPath(python ?? "python3", env);
  if (found === undefined)
    throw new BuildError(
      `${python ?? "python3"} is not installed on this machine. Name a Python by CLOUDRUN_OAUTH_PYTHON, or use --engine container.`,
    );
  return found;
}

/** The machine's npm, absolute: the one beside its node, or else the first on PATH. */
export function findNpm({ node, env }: Machine): string | undefined {
  const beside = join(dirname(node), "npm");
  return isProgram(beside) ? beside : findOnPath("npm", env);
}

/** The version that a program prints, as `20.19.0`. */
export async function readVersion(program: string, env: Machine["env"]): Promise<string> {
  const { execa } = await import("execa");
  const { stdout } = await execa(program, ["--version"], { stdin: "ignore", env: { ...env }, extendEnv: false });
  return /\d+(\.\d+)*/.exec(stdout)?.[0] ?? stdout.trim();
}

/** A program by its path, or by its name on PATH, where it is there and can be run. */
export function findOnPath(program: string, env: Machine["env"]): string | undefined {
  if (program.includes("/")) return isProgram(program) ? program : undefined;
  return (env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, program))
    .find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

// What a client needs to reach the package registries that this user reaches: where they are, who the user is there, the way through proxies, whom to trust, how long to
// wait. What would change which packages are installed, or where, is the Dockerfile's to say, and is not here.
const REGISTRY_FACTS = new RegExp(
  [
    "npm_config_(@[^:]+:registry|//.*|registry|userconfig|globalconfig|cache|ca|cafile|cert|key|strict_ssl|proxy|https_proxy|http_proxy|noproxy|fetch_.*|maxsockets|offline|prefer_offline|nodedir)",
    "pip_(index_url|extra_index_url|no_index|find_links|trusted_host|cert|client_cert|proxy|timeout|default_timeout|retries|cache_dir|config_file)",
    "(https?|all|no)_proxy",
    "node_extra_ca_certs|ssl_cert_file|ssl_cert_dir|requests_ca_bundle|curl_ca_bundle",
  ]
    .map((names) => `^(${names})$`)
    .join("|"),
  "i",
);

// Unlike Cloud Run: a build sees the user's own npm settings, so that it gets at the registries that the user gets at.
/** The environment that package managers need of the user's own. The user's settings files and download cache are among it, because HOME is not the user's in a build. */
export function registryFacts({ node, env }: Machine): Record<string, string> {
  const facts: Record<string, string> = { PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_NO_INPUT: "1", npm_config_update_notifier: "false" };
  if (env["HOME"] !== undefined) {
    facts["npm_config_userconfig"] = join(env["HOME"], ".npmrc");
    facts["npm_config_cache"] = join(env["HOME"], ".npm");
  }
  // npm looks for it below its prefix, which is the image's in a build.
  facts["npm_config_globalconfig"] = join(dirname(dirname(node)), "etc", "npmrc");
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || !REGISTRY_FACTS.test(name)) continue;
    // npm reads its settings in either case: of two spellings only one may be left.
    facts[/^npm_config_[^/@]*$/i.test(name) ? name.toLowerCase() : name] = value;
  }
  return facts;
}

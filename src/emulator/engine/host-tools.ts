import { accessSync, constants } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { BuildError } from "./engine.ts";

export interface HostTools {
  /** The `node` to run, an absolute path. */
  readonly node: string;
  /** The Python to run; the first `python3` on PATH if undefined. */
  readonly python: string | undefined;
  /** The environment in which programs and package registry settings are looked up. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Finds the host's Python and returns its absolute path. Throws a BuildError if it isn't installed. */
export function findPython({ python, env }: HostTools): string {
  const path = findOnPath(python ?? "python3", env);
  if (path === undefined)
    throw new BuildError(
      `${python ?? "python3"} isn't installed. Set CLOUDRUN_OAUTH_PYTHON to a Python interpreter, or use --engine container.`,
    );
  return path;
}

/** Finds the host's npm and returns its absolute path: the one next to its node, or else the first on PATH. */
export function findNpm({ node, env }: HostTools): string | undefined {
  const npmBesideNode = join(dirname(node), "npm");
  return isExecutable(npmBesideNode) ? npmBesideNode : findOnPath("npm", env);
}

/** Returns the version that a program prints, such as `20.19.0`. */
export async function readVersion(program: string, env: HostTools["env"]): Promise<string> {
  const { execa } = await import("execa");
  const { stdout } = await execa(program, ["--version"], { stdin: "ignore", env: { ...env }, extendEnv: false });
  return /\d+(\.\d+)*/.exec(stdout)?.[0] ?? stdout.trim();
}

/** Finds an executable program by its path, or by its name on PATH. */
export function findOnPath(program: string, env: HostTools["env"]): string | undefined {
  if (program.includes("/")) return isExecutable(program) ? program : undefined;
  return (env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, program))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

// What a client needs to reach the user's package registries: their URLs, credentials, proxies, certificate authorities and timeouts. What
// would change which packages are installed, or where, belongs in the Dockerfile and isn't passed on.
const REGISTRY_VARIABLE_NAMES = new RegExp(
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

// Unlike Cloud Run: a build sees the user's own npm and pip settings, so that it reaches the registries that the user reaches.
/**
 * The part of the user's environment that package managers need. It names the user's settings files and download cache, because HOME isn't
 * the user's in a build.
 */
export function registryVariables({ node, env }: HostTools): Record<string, string> {
  const variables: Record<string, string> = { PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_NO_INPUT: "1", npm_config_update_notifier: "false" };
  if (env["HOME"] !== undefined) {
    variables["npm_config_userconfig"] = join(env["HOME"], ".npmrc");
    variables["npm_config_cache"] = join(env["HOME"], ".npm");
  }
  // npm looks for it below its prefix, which is the image's in a build.
  variables["npm_config_globalconfig"] = join(dirname(dirname(node)), "etc", "npmrc");
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || !REGISTRY_VARIABLE_NAMES.test(name)) continue;
    // npm reads its settings in either case: only one of two spellings can stay.
    variables[/^npm_config_[^/@]*$/i.test(name) ? name.toLowerCase() : name] = value;
  }
  return variables;
}

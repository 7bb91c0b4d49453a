import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Processes } from "./processes.ts";

/** What everything of a run stands on. */
export interface Ground {
  readonly processes: Processes;
  /** The project's own folder. */
  readonly root: string;
  /** The command line, before its arguments. */
  readonly own: readonly string[];
  /** What a program needs to run at all, and nothing that leads anywhere. */
  readonly env: Readonly<Record<string, string>>;
  /** The path of a program in programs/. */
  program(name: string): string;
}

/** `root` is the project's folder, with dist/ built. */
export function createGround(processes: Processes, root: string): Ground {
  const home = join(processes.folder, "home");
  const temporary = join(processes.folder, "tmp");
  for (const folder of [home, temporary]) mkdirSync(folder);
  return {
    processes,
    root,
    own: [process.execPath, join(root, "bin", "cloudrun-oauth.js")],
    env: { ...inherited(), HOME: home, TMPDIR: temporary, CLOUDRUN_OAUTH_ENGINE: "process" },
    program: (name) => join(root, "test", "bench", "programs", name),
  };
}

/** An empty folder of the run's, or one with files in it. */
export function makeFolder({ processes }: Ground, files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(processes.folder, "folder-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o600 });
  return folder;
}

/** How package registries are reached, and where npm keeps what it has fetched. */
export function npmEnvironment(): Record<string, string> {
  const own = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && /^(npm_config_(?!prefix|local|global).*|.*_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)$/i.test(entry[0]),
  );
  return {
    npm_config_cache: join(homedir(), ".npm"),
    npm_config_userconfig: join(homedir(), ".npmrc"),
    ...Object.fromEntries(own),
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_update_notifier: "false",
  };
}

function inherited(): Record<string, string> {
  const names = ["PATH", "LANG", "CLOUDSDK_PYTHON"];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}

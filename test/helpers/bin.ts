import { execa, type ResultPromise } from "execa";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import { operate, type AtEnd, type Operated } from "./emulator.ts";
import { RECORDING } from "./recording.ts";
import { assertNoSecrets, assertNoSecretsIn, tokensAskedBy, type TokensAskedFor } from "./secret-scan.ts";

const BIN = fileURLToPath(new URL("../../bin/cloudrun-oauth.js", import.meta.url));

type Environment = Readonly<Record<string, string | undefined>>;

/** Somebody who uses the built command line, and has nothing yet. */
export interface User {
  /** Everything of the user's lies here, and every process of theirs can be told by it. */
  readonly folder: string;
  /** An empty folder to work in. */
  readonly work: string;
  /** The user's folder for temporary files. */
  readonly temporary: string;
  readonly env: Environment;
  /** The built command line, for scripts that run it themselves. */
  readonly bin: string;
  run(argv: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Starts the command line, and kills it when the test ends. */
  start(argv: readonly string[], options?: RunOptions): ResultPromise<typeof SETTINGS>;
  /** What runs with the user's folder in its environment, its arguments or its working folder: one line each. */
  processes(): string[];
}

interface RunOptions {
  readonly env?: Environment;
  readonly cwd?: string;
  /** In a process group of its own. */
  readonly detached?: boolean;
  /** Why the output may hold a token, where the command is not `token`. */
  readonly tokensAskedFor?: TokensAskedFor;
}

interface Finished {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const SETTINGS = { extendEnv: false, reject: false, stripFinalNewline: false, stdin: "ignore" } as const;

// Where programs are, and how package registries are reached: all that comes through of the environment that the tests run in.
const INHERITED =
  /^(PATH|LANG|CLOUDRUN_OAUTH_PYTHON|CLOUDSDK_PYTHON|(npm_config|pip)_.*|.*_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE)$/i;

/** A PATH with all that is on this one but gcloud. */
function withoutGcloud(atEnd: AtEnd): string {
  const mirrors = realpathSync(mkdtempSync(join(tmpdir(), "cloudrun-oauth-path-")));
  atEnd(() => rmSync(mirrors, { recursive: true, force: true }));
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => existsSync(folder));
  return folders
    .map((folder, number) => {
      const programs = readdirSync(folder);
      if (!programs.includes("gcloud")) return folder;
      const mirror = join(mirrors, String(number));
      mkdirSync(mirror);
      for (const program of programs) if (program !== "gcloud") symlinkSync(join(folder, program), join(mirror, program));
      return mirror;
    })
    .join(delimiter);
}

/**
 * A new user, who is gone with all their processes when the test ends, or the file with `afterAll`. Then a secret that nobody asked for fails it, in
 * whatever was printed, or lies in the user's folder.
 */
export function newUser({ atEnd = onTestFinished, path = process.env["PATH"] }: { atEnd?: AtEnd; path?: string } = {}): User {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "cloudrun-oauth-user-")));
  const [home, work, temporary] = ["home", "work", "tmp"].map((name) => join(folder, name)) as [string, string, string];
  for (const each of [home, work, temporary]) mkdirSync(each);
  const env = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => INHERITED.test(name))),
    PATH: path,
    HOME: home,
    TMPDIR: temporary,
    npm_config_userconfig: process.env["npm_config_userconfig"] ?? join(homedir(), ".npmrc"),
    npm_config_cache: process.env["npm_config_cache"] ?? join(homedir(), ".npm"),
    // Node keeps what it has compiled in the folder for temporary files unless another is named.
    NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache"),
    CLOUDRUN_OAUTH_RECORD: RECORDING,
    CLOUDRUN_OAUTH_ENGINE: "process",
  };
  const processes = () => processesOf(folder);
  const started: { readonly child: ResultPromise<typeof SETTINGS>; readonly asked: TokensAskedFor; readonly argv: readonly string[] }[] =
    [];
  atEnd(async () => {
    for (const line of processes()) kill(Number.parseInt(line, 10));
    try {
      for (const { child, asked, argv } of started) {
        child.kill("SIGKILL");
        const { stdout, stderr } = await child;
        assertNoSecrets({ [`stdout of ${argv.join(" ")}`]: stdout }, asked);
        assertNoSecrets({ [`stderr of ${argv.join(" ")}`]: stderr });
      }
      // `keys` is where a test has credentials written.
      assertNoSecretsIn(folder, { keys: [join("work", "emulator", "data", "keys"), join("work", "keys")] });
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  });
  const start: User["start"] = (argv, options = {}) => {
    const child = execa(process.execPath, [BIN, ...argv], {
      ...SETTINGS,
      detached: options.detached ?? false,
      cwd: options.cwd ?? work,
      env: { ...env, ...options.env },
    });
    started.push({ child, argv, asked: options.tokensAskedFor ?? tokensAskedBy(argv) });
    return child;
  };
  return {
    folder,
    work,
    temporary,
    env,
    bin: BIN,
    processes,
    start,
    async run(argv, options) {
      const { exitCode, stdout, stderr } = await start(argv, options);
      return { exitCode, stdout, stderr };
    },
  };
}

/** Somebody without gcloud: signing it in takes longer than all the rest. */
export function newcomer(atEnd: AtEnd = onTestFinished): User {
  return newUser({ atEnd, path: withoutGcloud(atEnd) });
}

/** Where the emulators of these tests live, below the user's folder of work. */
export const HOME = ["--data-dir", "emulator"] as const;

/** Starts an emulator that goes on when its command has ended, on a port that is free. */
export async function startDetached(user: User, ...flags: readonly string[]): Promise<{ pid: number; url: string; data_dir: string }> {
  const { exitCode, stdout, stderr } = await user.run(["emulator", "start", "--detach", "--port", "0", "--json", ...HOME, ...flags]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return JSON.parse(stdout);
}

/** Signs in to the emulator that `startDetached` has started. */
export async function operateFor(user: User): Promise<Operated> {
  const environment = JSON.parse((await user.run(["emulator", "env", "--json", ...HOME])).stdout);
  return operate({ url: environment.CLOUDRUN_OAUTH_EMULATOR, project: environment.PROJECT_ID, environment });
}

/** The error of a run that fails under `--json`, as it stands on the last line of stderr. */
export async function failure(
  user: User,
  argv: readonly string[],
): Promise<{ readonly code: string; readonly message: string; readonly exit_code: number }> {
  const cut = argv.includes("--") ? argv.indexOf("--") : argv.length;
  const { exitCode, stdout, stderr } = await user.run([...argv.slice(0, cut), "--json", ...argv.slice(cut)]);
  expect(stdout).toBe("");
  const { error } = JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "");
  expect(error.exit_code).toBe(exitCode);
  return error;
}

function processesOf(folder: string): string[] {
  if (!existsSync("/proc/self/environ")) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        const texts = [command, readFileSync(`/proc/${pid}/environ`, "utf8"), readlinkSync(`/proc/${pid}/cwd`)];
        return texts.some((text) => text.includes(folder)) ? [`${pid} ${command}`] : [];
      } catch {
        // It has ended meanwhile, or it is somebody else's.
        return [];
      }
    });
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

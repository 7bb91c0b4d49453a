import { execFile } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../helpers/api-server.ts";
import { writeKeyFile } from "../helpers/key-file.ts";

const BIN = fileURLToPath(new URL("../../bin/cloudrun-oauth.js", import.meta.url));

interface Load {
  /** Names of the package's own files, without their hashes. */
  readonly files: readonly string[];
  readonly bytes: number;
  /** Node's own modules, as `fs/promises`, besides those that it has loaded before it runs a program. */
  readonly own: readonly string[];
}

/** What a run of the built command line has loaded when it ends, or an emulator when it says that it is ready; it is told to end then. */
async function loadedBy(argv: readonly string[]): Promise<Load> {
  const folder = temporaryDirectory();
  const [preload, report] = [join(folder, "preload.cjs"), join(folder, "loaded")];
  writeFileSync(
    preload,
    `const before = new Set(process.moduleLoadList);
    const report = () => {
      const own = process.moduleLoadList.filter((name) => !before.has(name));
      require("node:fs").writeFileSync(${JSON.stringify(report)}, JSON.stringify({ paths: Object.keys(require.cache), own }));
      process.off("exit", report);
    };
    process.on("exit", report);
    if (process.argv[2] === "emulator") process.stdout.write = new Proxy(process.stdout.write, {
      apply(write, stdout, text) {
        report();
        return Reflect.apply(write, stdout, text);
      },
    });`,
  );
  const env = { PATH: process.env["PATH"], HOME: folder, NODE_NO_WARNINGS: "1" };
  const running = promisify(execFile)(process.execPath, ["--require", preload, BIN, ...argv], { env, cwd: dirname(writeKeyFile()) });
  if (argv[0] === "emulator") running.child.stdout?.once("data", () => running.child.kill("SIGTERM"));
  await running.catch(() => undefined);
  const { paths, own } = JSON.parse(readFileSync(report, "utf8")) as { readonly paths: string[]; readonly own: string[] };
  const files = paths.filter((path) => path !== preload);
  return {
    files: files.map((path) => basename(path).replace(/(-[\w-]{8})?\.c?js$/, "")),
    bytes: files.reduce((sum, path) => sum + statSync(path).size, 0),
    own: own.filter((name) => /^NativeModule (?!internal\/)/.test(name)).map((name) => name.replace("NativeModule ", "")),
  };
}

const BY_KEY = ["--dry-run", "--credentials", "key.json"];
const AT = ["--dry-run", "--project", "a-project", "--region", "us-central1"];

/** Node's own modules that take a while to load, and what they load in their turn: a run takes those that it uses. */
const SLOW = ["child_process", "dns", "http", "http2", "https", "perf_hooks", "readline", "tls", "zlib"];

// A file takes about half a millisecond to load, and 20 kB another: what is added here is added to every start of the command.
test.for<[argv: readonly string[], files: number, kilobytes: number, needed?: readonly string[]]>([
  [["--version"], 4, 12],
  [["--help"], 6, 120],
  [["token", "https://hello-uc.a.run.app", ...BY_KEY], 7, 250],
  [["invoke", "https://hello-uc.a.run.app", ...BY_KEY], 6, 250],
  [["describe", "hello", "--via", "api", ...AT], 11, 340],
  // To listen, Node loads what a cluster would need.
  [["emulator", "start", "--ephemeral", "--port", "0"], 22, 625, ["child_process", "dns", "http", "tls"]],
])("%j loads at most %i files, and %i kB", async ([argv, files, kilobytes, needed = []]) => {
  const loaded = await loadedBy(argv);
  expect(loaded.files).toContain("main");
  expect(loaded.files.slice(files)).toEqual([]);
  expect(loaded.bytes).toBeLessThanOrEqual(kilobytes * 1000);
  expect(loaded.files.filter((name) => HEAVY.test(name))).toEqual([]);
  expect(loaded.own.filter((name) => SLOW.includes(name) && !needed.includes(name))).toEqual([]);
});

/** Files that are a library's own, and those of which a start needs nothing. */
const HEAVY = /^(apis|cel|conf|execa|google-clients|ora|chalk|explain|evidence|index\.min|gcloud)$/;

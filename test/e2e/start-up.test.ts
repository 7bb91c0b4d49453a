import { execFile } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
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
}

/** What a run of the built command line has loaded when it ends. */
async function loadedBy(argv: readonly string[]): Promise<Load> {
  const report = `${temporaryDirectory()}/loaded`;
  const asUrl = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;
  const hook = `import { appendFileSync } from "node:fs"; export const load = (url, context, next) => { if (url.startsWith("file:")) appendFileSync(${JSON.stringify(report)}, url + "\\n"); return next(url, context); }`;
  const register = `import { register } from "node:module"; register(${JSON.stringify(asUrl(hook))});`;
  const env = { PATH: process.env["PATH"], HOME: temporaryDirectory(), NODE_NO_WARNINGS: "1" };
  await promisify(execFile)(process.execPath, ["--import", asUrl(register), BIN, ...argv], { env, cwd: dirname(writeKeyFile()) });
  const urls = readFileSync(report, "utf8").trim().split("\n");
  const paths = urls.map((url) => fileURLToPath(url));
  return {
    files: paths.map((path) => basename(path).replace(/(-[\w-]{8})?\.js$/, "")),
    bytes: paths.reduce((sum, path) => sum + statSync(path).size, 0),
  };
}

const BY_KEY = ["--dry-run", "--credentials", "key.json"];
const AT = ["--dry-run", "--project", "a-project", "--region", "us-central1"];

// A file takes about a millisecond to load, and 10 kB another: what is added here is added to every start of the command.
test.for<[argv: readonly string[], files: number, kilobytes: number]>([
  [["--version"], 4, 15],
  [["--help"], 7, 130],
  [["token", "https://hello-uc.a.run.app", ...BY_KEY], 8, 320],
  [["invoke", "https://hello-uc.a.run.app", ...BY_KEY], 8, 320],
  [["describe", "hello", "--via", "api", ...AT], 12, 390],
])("%j loads at most %i files, and %i kB", async ([argv, files, kilobytes]) => {
  const loaded = await loadedBy(argv);
  expect(loaded.files).toContain("main");
  expect(loaded.files.slice(files)).toEqual([]);
  expect(loaded.bytes).toBeLessThanOrEqual(kilobytes * 1000);
  expect(loaded.files.filter((name) => HEAVY.test(name))).toEqual([]);
});

/** The emulator, and files that are a library's own. */
const HEAVY = /emulator|execa|google-clients|ora|chalk|index\.min|gcloud/;

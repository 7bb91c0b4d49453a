import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { mergeEnvironment } from "../../src/context/merge-environment.ts";
import type { Json } from "./api-server.ts";
import { runCli } from "./command-line.ts";
import { startEmulator } from "./emulator.ts";
import { testNeeding } from "./requirements.ts";

/** Each start of gcloud takes a second, and several seconds on a busy machine. */
const TEST_TIMEOUT_MS = 300_000;

type Emulator = Awaited<ReturnType<typeof startEmulator>>;

/** One of the control plane's two back ends, with its own emulator while the file's tests run. */
export interface BackEnd {
  readonly via: "gcloud" | "api";
  /** Starts before the tests. */
  emulator(): Emulator;
  /** Runs the command line as the emulator's operator. */
  run(argv: readonly string[], world?: Parameters<typeof runCli>[1]): ReturnType<typeof runCli>;
  /** Returns the `--json` document. Throws stderr if the command fails. */
  json(argv: readonly string[], world?: Parameters<typeof runCli>[1]): Promise<Json>;
  /** Returns the error of a command that fails and prints nothing on stdout. */
  failure(argv: readonly string[], options?: Parameters<typeof runCli>[1]): Promise<Json>;
  /** A test with this back end; a test with gcloud needs gcloud. */
  testBackEnd(name: string, run: () => Promise<void>): void;
  /** Asserts that both back ends return the same object, except for random names and times. */
  expectSame(what: string, value: object): void;
}

/** Runs a suite through gcloud, and again through Google's APIs without gcloud on PATH. */
export function testBothBackEnds(suite: (way: BackEnd) => void): void {
  const seen = new Map<string, string>();
  for (const via of ["gcloud", "api"] as const)
    describe(`through ${via}`, () => {
      let emulator: Emulator;
      const home = mkdtempSync(join(tmpdir(), "cloudrun-oauth-test-"));
      beforeAll(async () => {
        emulator = await startEmulator(afterAll);
      }, TEST_TIMEOUT_MS);
      afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
      const run: BackEnd["run"] = (argv, world = {}) => {
        const PATH = via === "gcloud" ? (process.env["PATH"] ?? "") : "";
        const env = mergeEnvironment({ HOME: home, PATH }, emulator.status().environment) as Record<string, string>;
        return runCli(["--via", via, ...argv], { cwd: home, ...world, env: { ...env, ...world.env } });
      };
      suite({
        via,
        emulator: () => emulator,
        run,
        async json(argv, world) {
          const { exitCode, stdout, stderr } = await run(["--json", ...argv], world);
          if (exitCode !== 0) throw new Error(stderr);
          return JSON.parse(stdout) as Json;
        },
        async failure(argv, options) {
          const { stdout, stderr } = await run(["--json", ...argv], options);
          expect(stdout).toBe("");
          return (JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "") as Json)["error"];
        },
        testBackEnd: (name, body) => testNeeding(via === "gcloud" ? "gcloud" : [], name, body, TEST_TIMEOUT_MS),
        expectSame(what, value) {
          const text = withoutRandomParts(value);
          const other = seen.get(what);
          seen.set(what, text);
          if (other !== undefined) expect({ what, ...JSON.parse(text) }).toEqual({ what, ...JSON.parse(other) });
        },
      });
    });
}

/** The JSON of a value, with placeholders for random names and times. */
export function withoutRandomParts(value: unknown): string {
  return JSON.stringify(value)
    .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, "TIME")
    .replace(/\b(-\d{5})-[a-z0-9]{3}\b/g, "$1-abc")
    .replace(/\b([a-z][a-z-]*)-[a-z0-9]{10}-([a-z]{2})\.a\.run\.app/g, "$1-HASH-$2.a.run.app")
    .replace(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "UUID")
    .replace(/\bsha256:[0-9a-f]{64}\b/g, "sha256:DIGEST")
    .replace(/\b[0-9a-f]{40}\b/g, "KEY")
    .replace(/"--via","(?:api|gcloud)"/g, '"--via","VIA"')
    .replace(/"unique_id":"\d+"/g, '"unique_id":"1"')
    .replace(/"etag":"[^"]*"/g, '"etag":"ETAG"')
    .replace(/"((?:\w+_)?(?:ms|duration))":[\d.]+/g, '"$1":0');
}

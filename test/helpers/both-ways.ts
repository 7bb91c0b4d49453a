import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { mergeEnvironment } from "../../src/context/merge-environment.ts";
import type { Json } from "./api-server.ts";
import { runCli } from "./command-line.ts";
import { startEmulator } from "./emulator.ts";
import { testNeeding } from "./requirements.ts";

/** Milliseconds. Each start of gcloud takes a second, and several on a machine that is busy. */
const PATIENCE = 300_000;

type Emulator = Awaited<ReturnType<typeof startEmulator>>;

/** One of the two ways to the control plane, with an emulator of its own for as long as the file's tests run. */
export interface Way {
  readonly via: "gcloud" | "api";
  /** It runs when a test runs. */
  emulator(): Emulator;
  /** The command line as the emulator's operator has it. */
  run(argv: readonly string[], world?: Parameters<typeof runCli>[1]): ReturnType<typeof runCli>;
  /** What it prints under `--json`; throws what it says where it fails. */
  json(argv: readonly string[], world?: Parameters<typeof runCli>[1]): Promise<Json>;
  /** A test by this way; where it goes by gcloud, the machine has to have it. */
  testWay(name: string, run: () => Promise<void>): void;
  /** Holds that both ways come to the same object, names that are made at random and times aside. */
  expectSame(what: string, value: object): void;
}

/** Runs a suite by gcloud, and again by Google's APIs on a machine without gcloud. */
export function overBothWays(suite: (way: Way) => void): void {
  const seen = new Map<string, string>();
  for (const via of ["gcloud", "api"] as const)
    describe(`by ${via}`, () => {
      let emulator: Emulator;
      const home = mkdtempSync(join(tmpdir(), "cloudrun-oauth-test-"));
      beforeAll(async () => {
        emulator = await startEmulator(afterAll);
      }, PATIENCE);
      afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
      const run: Way["run"] = (argv, world = {}) => {
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
        testWay: (name, body) => testNeeding(via === "gcloud" ? "gcloud" : [], name, body, PATIENCE),
        expectSame(what, value) {
          const text = withoutChance(value);
          const other = seen.get(what);
          seen.set(what, text);
          if (other !== undefined) expect({ what, ...JSON.parse(text) }).toEqual({ what, ...JSON.parse(other) });
        },
      });
    });
}

/** What chance and the clock have made, by what it is. */
export function withoutChance(value: unknown): string {
  return JSON.stringify(value)
    .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, "TIME")
    .replace(/\b(-\d{5})-[a-z0-9]{3}\b/g, "$1-abc")
    .replace(/\b([a-z][a-z-]*)-[a-z0-9]{10}-([a-z]{2})\.a\.run\.app/g, "$1-HASH-$2.a.run.app")
    .replace(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "UUID")
    .replace(/\bsha256:[0-9a-f]{64}\b/g, "sha256:DIGEST")
    .replace(/\b[0-9a-f]{40}\b/g, "KEY")
    .replace(/"unique_id":"\d+"/g, '"unique_id":"1"')
    .replace(/"etag":"[^"]*"/g, '"etag":"ETAG"')
    .replace(/"((?:\w+_)?(?:ms|duration))":[\d.]+/g, '"$1":0');
}

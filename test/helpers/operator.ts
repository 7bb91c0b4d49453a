import { afterAll, beforeAll } from "vitest";
import { mergeEnvironment } from "../../src/context/merge-environment.ts";
import type { Json } from "./api-server.ts";
import { folder, runCli } from "./command-line.ts";
import { startEmulator, tinyService } from "./emulator.ts";

/** A service that doesn't start if its MOOD is bad. */
export const MOODY_SERVER = `
if (process.env.MOOD === "bad") process.exit(1);
require("node:http").createServer((_, response) => response.end("ok")).listen(process.env.PORT, "127.0.0.1");
`;

/** An emulator with a service `hello` for the tests of a file, and the command line as its operator uses it, through Google's APIs. */
export function openOperator() {
  let emulator: Awaited<ReturnType<typeof startEmulator>>;
  beforeAll(async () => {
    emulator = await startEmulator(afterAll);
    await emulator.deploy("hello", tinyService(MOODY_SERVER));
  }, 120_000);

  function cli(argv: readonly string[], cwd = folder()) {
    const env = mergeEnvironment({ HOME: folder(), PATH: "", SERVICE_NAME: "hello" }, emulator.status().environment) as Record<
      string,
      string
    >;
    return runCli(argv, { env, cwd });
  }

  /** The document that a command prints under `--json`. Throws its stderr if it fails. */
  async function json(...argv: readonly string[]): Promise<Json> {
    const { exitCode, stdout, stderr } = await cli(["--json", ...argv]);
    if (exitCode !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as Json;
  }

  /** The error of a command that fails. */
  async function refusal(...argv: readonly string[]) {
    const { exitCode, stdout, stderr } = await cli(["--json", ...argv]);
    const { error } = JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "") as { error: Record<string, string> };
    return { exitCode, stdout, code: error["code"], message: error["message"], hint: error["hint"], next: error["next"] };
  }

  /** The names of all revisions, the newest first. */
  async function revisions(service: string): Promise<string[]> {
    return ((await json("traffic", service))["revisions"] as { revision: string }[]).map(({ revision }) => revision);
  }

  return {
    emulator: () => emulator,
    cli,
    json,
    refusal,
    revisions,
    /** Creates a service with this many ready revisions; returns their names, the newest first. */
    async createService(service: string, count: number): Promise<string[]> {
      await emulator.deploy(service, tinyService(MOODY_SERVER));
      for (let revision = 1; revision < count; revision += 1) await json("env", "set", service, `COUNT=${revision}`);
      return revisions(service);
    },
  };
}

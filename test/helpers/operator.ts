import { afterAll, beforeAll } from "vitest";
import { mergeEnvironment } from "../../src/context/merge-environment.ts";
import type { Json } from "./api-server.ts";
import { folder, runCli } from "./command-line.ts";
import { startEmulator, tinyService } from "./emulator.ts";

/** A service that does not start where it is told so. */
export const MOODY = `
if (process.env.MOOD === "bad") process.exit(1);
require("node:http").createServer((_, response) => response.end("ok")).listen(process.env.PORT, "127.0.0.1");
`;

/** The command line as an emulator's operator has it, by Google's APIs; with a service `hello` for as long as the file's tests run. */
export function openOperator() {
  let emulator: Awaited<ReturnType<typeof startEmulator>>;
  beforeAll(async () => {
    emulator = await startEmulator(afterAll);
    await emulator.deploy("hello", tinyService(MOODY));
  }, 120_000);

  function cli(argv: readonly string[], cwd = folder()) {
    const env = mergeEnvironment({ HOME: folder(), PATH: "", SERVICE_NAME: "hello" }, emulator.status().environment) as Record<
      string,
      string
    >;
    return runCli(argv, { env, cwd });
  }

  /** What it prints under `--json`; throws what it says where it fails. */
  async function json(...argv: readonly string[]): Promise<Json> {
    const { exitCode, stdout, stderr } = await cli(["--json", ...argv]);
    if (exitCode !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as Json;
  }

  /** How it fails. */
  async function refusal(...argv: readonly string[]) {
    const { exitCode, stdout, stderr } = await cli(["--json", ...argv]);
    const { error } = JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "") as { error: Record<string, string> };
    return { exitCode, stdout, code: error["code"], message: error["message"], hint: error["hint"] };
  }

  /** All revisions' names, the newest first. */
  async function revisions(service: string): Promise<string[]> {
    return ((await json("traffic", service))["revisions"] as { revision: string }[]).map(({ revision }) => revision);
  }

  return {
    emulator: () => emulator,
    cli,
    json,
    refusal,
    revisions,
    /** Makes a service with so many good revisions; their names, the newest first. */
    async make(service: string, count: number): Promise<string[]> {
      await emulator.deploy(service, tinyService(MOODY));
      for (let made = 1; made < count; made += 1) await json("env", "set", service, `COUNT=${made}`);
      return revisions(service);
    },
  };
}

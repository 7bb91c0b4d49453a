import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { mergeEnvironment } from "../../src/context/merge-environment.ts";
import { createEmulator } from "../../src/emulator/index.ts";
import { sendAdmin } from "./admin.ts";
import { folder, runCli } from "./command-line.ts";
import { tinyService, type Files } from "./emulator.ts";

/** The account that calls services on the emulator. */
export const CALLER = "serviceAccount:caller@cloudrun-local.iam.gserviceaccount.com";

/** Answers every path with JSON; `/bad` with 500. */
export const SERVER = `
require("node:http")
  .createServer((request, response) => {
    response.statusCode = request.url === "/bad" ? 500 : 200;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ message: "Hello World from authenticated Cloud Run!" }));
  })
  .listen(process.env.PORT, "127.0.0.1");
`;

/** The files of a service. `line` makes two sources differ. */
export function upFiles(service: string, line = ""): Files {
  return { ...tinyService(`${SERVER}// ${line}\n`), "cloudrun-oauth.json": JSON.stringify({ service }) };
}

/** A folder that contains a service. */
export function upFolder(service: string, line = ""): string {
  return folder(upFiles(service, line));
}

/** The names of the steps in a document of `up`. */
export function stepsOf(document: Readonly<Record<string, unknown>>): string[] {
  return (document["steps"] as readonly { readonly name: string }[]).map(({ name }) => name);
}

type RunOptions = Parameters<typeof runCli>[1];

/** An emulator for the tests of a file, with the command line as its operator uses it, without gcloud. */
export function openUpEmulator() {
  let emulator: Awaited<ReturnType<typeof createEmulator>>;
  let record: string;
  beforeAll(async () => {
    const directory = mkdtempSync(join(tmpdir(), "cloudrun-oauth-emulator-"));
    record = join(directory, "record");
    const env = { ...process.env, CLOUDRUN_OAUTH_RECORD: record };
    emulator = await createEmulator({ directory, port: 0, engine: "process", env });
    await emulator.createCallerKey();
  }, 60_000);
  afterAll(() => emulator.remove());

  function run(argv: readonly string[], { env, ...options }: RunOptions = {}) {
    const emulatorEnv = mergeEnvironment({ PATH: "" }, emulator.status().environment) as Record<string, string>;
    return runCli(["--via", "api", ...argv], { ...options, env: { ...emulatorEnv, ...env } });
  }

  return {
    emulator: () => emulator,
    run,
    /** The document that a command prints under `--json`. Throws its stderr if it fails. */
    async json(argv: readonly string[], options?: RunOptions) {
      const { exitCode, stdout, stderr } = await run(["--json", ...argv], options);
      if (exitCode !== 0) throw new Error(stderr);
      return JSON.parse(stdout);
    },
    /** The requests that the emulator has received since the last call, as `METHOD URL`. */
    takeRequests(): string[] {
      const lines = readFileSync(record, "utf8").split("\n").filter(Boolean);
      writeFileSync(record, "");
      return lines.map((line) => JSON.parse(line)).map(({ method, url }) => `${method} ${url}`);
    },
    faults: (method: "POST" | "DELETE", fault?: object) =>
      sendAdmin(Number(new URL(emulator.status().url).port), method, "/_emulator/faults", fault),
  };
}

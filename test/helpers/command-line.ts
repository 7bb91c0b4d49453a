import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, onTestFinished } from "vitest";
import { run } from "../../src/main.ts";
import { tokenCacheFolder } from "../../src/auth/token-cache-files.ts";
import { assertNoSecrets, assertNoSecretsIn, tokensAskedBy, type TokensAskedFor } from "./secret-scan.ts";

/** A new folder, with files in it by their relative paths, that goes with the test. */
export function folder(files: Readonly<Record<string, string>> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), "cloudrun-oauth-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

interface World {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What is piped in; nothing, and no end, where it is not said. */
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  /** Called with each piece of stdout as it comes. */
  readonly onStdout?: (piece: Buffer) => void;
  /** The same of stderr. */
  readonly onStderr?: (piece: Buffer) => void;
  /** Why the output may hold a token, where the command is not `token`. */
  readonly tokensAskedFor?: TokensAskedFor;
}

/**
 * Runs the command line in this process, in a home and a folder of its own with nothing on PATH unless said otherwise. Throws where a secret that
 * nobody asked for is in what it wrote.
 */
export async function runCli(
  argv: readonly string[],
  { env: given = {}, cwd = folder(), stdin: input, signal, onStdout, onStderr, tokensAskedFor }: World = {},
) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  if (input !== undefined) stdin.end(input);
  const [out, err] = [collect(stdout), collect(stderr)];
  if (onStdout) stdout.on("data", onStdout);
  if (onStderr) stderr.on("data", onStderr);
  const env: Readonly<Record<string, string>> = { HOME: folder(), PATH: "", NO_GCE_CHECK: "true", ...given };
  const exitCode = await run(argv, { stdin, stdout, stderr, cwd, signal, env, self: [] });
  const written = { stdout: out(), stderr: err() };
  const asked = tokensAskedFor ?? tokensAskedBy(argv);
  assertNoSecrets({ stdout: written.stdout }, asked);
  // The mask of a token is the token.
  assertNoSecrets({ stderr: written.stderr.replace(/^::add-mask::.*$/gm, "") });
  for (const name of ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"]) {
    const path = env[name];
    if (path && existsSync(path)) assertNoSecrets({ [name]: readFileSync(path, "utf8") });
  }
  assertNoSecretsIn(tokenCacheFolder(env) ?? "");
  return { exitCode, ...written };
}

function collect(stream: PassThrough): () => string {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("utf8");
}

/** One call that a fake gcloud knows: its whole line, and what it does. */
interface Call {
  readonly line: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
}

/** A PATH with nothing but a gcloud that knows these calls, each once: any other fails, and so does one that is never made. */
export function fakeGcloud(...calls: readonly Call[]): { readonly PATH: string } {
  const directory = folder({ calls: "" });
  const log = join(directory, "calls");
  const lines = new Set(calls.map(({ line }) => line));
  const cases = [...lines].map(
    (known) =>
      `${quote(known)})\n${calls.map((call, index) => (call.line === known ? act(call, join(directory, `made-${index}`), log) : "")).join("")};;`,
  );
  writeFileSync(
    join(directory, "gcloud"),
    `#!/bin/sh\ncase "$*" in\n${cases.join("\n")}\nesac\necho "unexpected $*" >> ${quote(log)}; exit 99\n`,
  );
  chmodSync(join(directory, "gcloud"), 0o755);
  onTestFinished(() => {
    const made = readFileSync(log, "utf8").split("\n").filter(Boolean);
    expect(made.toSorted()).toEqual(calls.map(({ line }) => line).toSorted());
  });
  return { PATH: directory };
}

/** What a call does the first time that it is made; after that it is as good as unknown. */
function act({ stdout = "", stderr = "", exitCode = 0 }: Call, mark: string, log: string): string {
  const say = `printf %s ${quote(stdout)}; printf %s ${quote(stderr)} >&2; exit ${exitCode}`;
  return `if [ ! -e ${quote(mark)} ]; then : > ${quote(mark)}; echo "$*" >> ${quote(log)}; ${say}; fi\n`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A service as gcloud and the API describe it. */
export const KNATIVE_SERVICE = {
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: {
    name: "hello",
    namespace: "123456789012",
    generation: 2,
    creationTimestamp: "2025-11-01T10:00:00.000Z",
    labels: { team: "apps", "cloud.googleapis.com/location": "us-central1" },
    annotations: {
      "serving.knative.dev/lastModifier": "me@example.com",
      "run.googleapis.com/ingress": "all",
      "run.googleapis.com/urls": '["https://hello-123456789012.us-central1.run.app","https://hello-abc123-uc.a.run.app"]',
    },
  },
  spec: {
    template: {
      metadata: { annotations: { "autoscaling.knative.dev/minScale": "1", "autoscaling.knative.dev/maxScale": "3" } },
      spec: {
        containerConcurrency: 80,
        timeoutSeconds: 300,
        containers: [
          {
            image: "us-central1-docker.pkg.dev/my-project/apps/hello",
            ports: [{ containerPort: 8080 }],
            resources: { limits: { cpu: "1000m", memory: "512Mi" } },
            env: [
              { name: "MOOD", value: "good" },
              { name: "DB", valueFrom: { secretKeyRef: { name: "db-password", key: "2" } } },
            ],
          },
        ],
        serviceAccountName: "runner@my-project.iam.gserviceaccount.com",
      },
    },
  },
  status: {
    observedGeneration: 2,
    url: "https://hello-abc123-uc.a.run.app",
    latestReadyRevisionName: "hello-00002-abc",
    latestCreatedRevisionName: "hello-00002-abc",
    traffic: [{ latestRevision: true, percent: 100, revisionName: "hello-00002-abc" }],
    conditions: [
      { type: "Ready", status: "True" },
      { type: "ConfigurationsReady", status: "True", lastTransitionTime: "2025-11-02T10:00:00.000Z" },
    ],
  },
};

import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, onTestFinished } from "vitest";
import { run } from "../../src/main.ts";
import { tokenCacheFolder } from "../../src/auth/token-cache-files.ts";
import { assertNoSecrets, assertNoSecretsIn, tokensAskedBy, type TokensAskedFor } from "./secret-scan.ts";

/** Creates a folder with files, by their relative paths; deletes it when the test is finished. */
export function folder(files: Readonly<Record<string, string>> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), "cloudrun-oauth-test-"));
  // A process that a test ended can still be writing.
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Standard input; without it, nothing arrives and it stays open. */
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  /** Called with each chunk of stdout. */
  readonly onStdout?: (chunk: Buffer) => void;
  /** Called with each chunk of stderr. */
  readonly onStderr?: (chunk: Buffer) => void;
  /** Why the output can contain a token, if the command isn't `token`. */
  readonly tokensAskedFor?: TokensAskedFor;
}

/**
 * Runs the command line in this process; by default with a new home and working directory, and an empty PATH. Throws if the output or the caches
 * contain a secret that wasn't asked for.
 */
export async function runCli(
  argv: readonly string[],
  { env: given = {}, cwd = folder(), stdin: input, signal, onStdout, onStderr, tokensAskedFor }: RunOptions = {},
) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  if (input !== undefined) stdin.end(input);
  const [readStdout, readStderr] = [collect(stdout), collect(stderr)];
  if (onStdout) stdout.on("data", onStdout);
  if (onStderr) stderr.on("data", onStderr);
  const env: Readonly<Record<string, string>> = { HOME: folder(), PATH: "", NO_GCE_CHECK: "true", ...given };
  const exitCode = await run(argv, { stdin, stdout, stderr, cwd, signal, env, self: [] });
  const output = { stdout: readStdout(), stderr: readStderr() };
  assertNoSecrets({ stdout: output.stdout }, tokensAskedFor ?? tokensAskedBy(argv));
  // The line that has GitHub Actions mask a token contains it.
  assertNoSecrets({ stderr: output.stderr.replace(/^::add-mask::.*$/gm, "") });
  for (const name of ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"]) {
    const path = env[name];
    if (path && existsSync(path)) assertNoSecrets({ [name]: readFileSync(path, "utf8") });
  }
  assertNoSecretsIn(tokenCacheFolder(env) ?? "");
  return { exitCode, ...output };
}

function collect(stream: PassThrough): () => string {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("utf8");
}

/** A call that a fake gcloud expects: the whole command line, and the response. */
export interface ExpectedCall {
  readonly line: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
}

/** Creates a PATH with only a gcloud that expects these calls, each once. Another call fails, and the test fails if a call is missing. */
export function fakeGcloud(...calls: readonly ExpectedCall[]): { readonly PATH: string } {
  const directory = folder({ calls: "" });
  const log = join(directory, "calls");
  const lines = new Set(calls.map(({ line }) => line));
  const cases = [...lines].map((line) => {
    const answers = calls.map((call, index) => (call.line === line ? answerOnce(call, join(directory, `made-${index}`), log) : ""));
    return `${quote(line)})\n${answers.join("")};;`;
  });
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

/** Shell code that answers a call the first time; the second time, the call is unexpected. */
function answerOnce({ stdout = "", stderr = "", exitCode = 0 }: ExpectedCall, mark: string, log: string): string {
  const answer = `printf %s ${quote(stdout)}; printf %s ${quote(stderr)} >&2; exit ${exitCode}`;
  return `if [ ! -e ${quote(mark)} ]; then : > ${quote(mark)}; echo "$*" >> ${quote(log)}; ${answer}; fi\n`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A service, as gcloud and the API return it. */
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

import { fakeGcloud, KNATIVE_SERVICE, runCli, type ExpectedCall } from "./command-line.ts";

/** The environment of the commands that this file's lines are about. */
const ENV = { PROJECT_ID: "my-project", SERVICE_NAME: "hello" };

/** The end of every line of gcloud about the service. */
export const WHERE = "--project my-project --region us-central1 --quiet --format=json";

/** The image that is deployed by default. */
export const IMAGE = "us-central1-docker.pkg.dev/my-project/cloudrun-oauth/hello";

/** What gcloud prints about the service. */
export const SERVICE_JSON = JSON.stringify(KNATIVE_SERVICE);
export const POLICY_JSON = JSON.stringify({ bindings: [{ role: "roles/run.invoker", members: ["user:me@example.com"] }], etag: "BwX=" });

export const DESCRIBE_CALL = { line: `run services describe hello ${WHERE}`, stdout: SERVICE_JSON };
export const POLICY_CALL = { line: `run services get-iam-policy hello ${WHERE}`, stdout: POLICY_JSON };
export const PROJECT_POLICY_CALL = {
  line: "projects get-iam-policy my-project --quiet --format=json",
  stdout: JSON.stringify({
    bindings: [
      { role: "roles/owner", members: ["user:owner@example.com", "user:me@example.com"] },
      { role: "roles/viewer", members: ["user:viewer@example.com"] },
      {
        role: "roles/run.invoker",
        members: ["group:night@example.com"],
        condition: { title: "night", expression: "request.time.getHours() < 6" },
      },
      { role: "projects/my-project/roles/caller", members: ["group:own@example.com"] },
    ],
    etag: "BwY=",
  }),
};

/** Runs a command with a gcloud that expects these calls, and no other. */
export function runWithGcloud(
  argv: readonly string[],
  calls: readonly ExpectedCall[] = [],
  { env = {}, cwd }: { env?: object; cwd?: string } = {},
) {
  return runCli(argv, { env: { ...ENV, ...fakeGcloud(...calls), ...env }, ...(cwd !== undefined && { cwd }) });
}

/** Runs a command that takes one line of gcloud, and again under `--dry-run` without gcloud. Returns the first exit code and the plan, without quotes. */
export async function runOneLine(argv: readonly string[], line: string, stdout: string) {
  const { exitCode } = await runWithGcloud(argv, [{ line, stdout }]);
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  const dryRun = await runWithGcloud([...argv.slice(0, end), "--dry-run", ...argv.slice(end)]);
  return { exitCode, dryRun: { ...dryRun, stdout: dryRun.stdout.replaceAll("'", "") } };
}

/** What `runOneLine` returns if the command works. */
export function ranLine(line: string) {
  return { exitCode: 0, dryRun: { exitCode: 0, stdout: `gcloud ${line}\n`, stderr: "" } };
}

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newcomer, newUser, type User } from "../helpers/bin.ts";
import { testNeeding } from "../helpers/requirements.ts";
import { SAMPLE_REQUEST } from "../helpers/sample-request.ts";

/** Starting gcloud takes a second, and several on a busy machine. */
const TIMEOUT_MS = 180_000;
const HELLO = { message: "Hello World from authenticated Cloud Run!" };
const INVOKED = { exitCode: 0, stdout: `${JSON.stringify({ status_code: 200, response: HELLO }, null, 2)}\n`, stderr: "" };

/** Runs a step; its output and its exit code go to files. */
const STEP_FUNCTION = `
step() {
  name=$1
  shift
  "$@" > "$OUT/$name.out" 2> "$OUT/$name.err"
  echo $? > "$OUT/$name.code"
}
cd "$SERVICE_NAME"
`;

/** The README of the original sample, command by command. */
const GCLOUD_COMMANDS = `
step build gcloud builds submit --tag "gcr.io/$PROJECT_ID/$SERVICE_NAME"
step deploy gcloud beta run deploy "$SERVICE_NAME" --image "gcr.io/$PROJECT_ID/$SERVICE_NAME" --region us-central1 --quiet
step describe gcloud beta run services describe "$SERVICE_NAME" --region us-central1
step url gcloud beta run services describe "$SERVICE_NAME" --region us-central1 --format "value(status.address.url)"
export CLOUD_RUN_SERVICE_URL="$(cat "$OUT/url.out")"
step early "$NODE" "$BIN" invoke --json
step bare gcloud beta run services add-iam-policy-binding "$SERVICE_NAME" --member "$SERVICE_ACCOUNT_EMAIL" --role roles/run.invoker --region us-central1
step grant gcloud beta run services add-iam-policy-binding "$SERVICE_NAME" --member "serviceAccount:$SERVICE_ACCOUNT_EMAIL" --role roles/run.invoker --region us-central1
step invoke "$NODE" "$BIN" invoke
`;

/** `up` in place of these commands, without gcloud, and then the sample's own client if Python is available. */
const UP_COMMANDS = `
step up "$NODE" "$BIN" up
export CLOUD_RUN_SERVICE_URL="$("$NODE" "$BIN" describe --url --quiet)"
step invoke "$NODE" "$BIN" invoke
[ -z "$PYTHON" ] || step sample "$PYTHON" ../sample_request.py
`;

/** Runs commands inside of `emulator exec`, with a service from a template; returns the result of each step. */
async function runCommands(user: User, template: string, commands: string, python = "") {
  const created = await user.run(["init", "sample", "--template", template, "--service", "sample", "--yes"]);
  expect(created.exitCode).toBe(0);
  for (const [name, text] of Object.entries({ "commands.sh": STEP_FUNCTION + commands, ...SAMPLE_REQUEST }))
    writeFileSync(join(user.work, name), text);
  // Node 22 warns of NODE_USE_ENV_PROXY, which the emulator sets.
  const env = { NODE_NO_WARNINGS: "1", OUT: user.folder, SERVICE_NAME: "sample", NODE: process.execPath, BIN: user.bin, PYTHON: python };
  const { stdout, stderr } = await user.run(["emulator", "exec", "--", "sh", "commands.sh"], {
    env: { ...env, ...(python && { CLOUDRUN_OAUTH_PYTHON: python }) },
  });
  expect({ stdout, stderr }).toEqual({ stdout: "", stderr: "" });
  expect([user.processes(), readdirSync(user.temporary)]).toEqual([[], []]);
  expect(existsSync(join(user.folder, "home", ".config", "gcloud"))).toBe(false);
  const read = (name: string) => readFileSync(join(user.folder, name), "utf8");
  return (step: string) => ({ exitCode: Number(read(`${step}.code`)), stdout: read(`${step}.out`), stderr: read(`${step}.err`) });
}

testNeeding(
  "gcloud",
  "the original sample's README leads to an authenticated call, command by command",
  async () => {
    // A gcloud that starts as users' gcloud does.
    const step = await runCommands(newUser({ path: process.env["COLD_PATH"] }), "hono", GCLOUD_COMMANDS);
    expect(step("build")).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/gcr\.io\/cloudrun-local\/sample.* SUCCESS\n/) });
    const deployed =
      /Service \[sample\] revision \[sample-00001-\w{3}\] has been deployed and is serving 100 percent of traffic\.\nService URL: https:\/\/sample-\d+\.us-central1\.run\.app\n/;
    expect(step("deploy")).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(deployed) });
    const binding = "- serviceAccount:caller@cloudrun-local.iam.gserviceaccount.com\n  role: roles/run.invoker\n";
    expect(step("grant")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(binding) });
    expect(step("invoke")).toEqual(INVOKED);
    expect(step("url").stdout).toMatch(/^https:\/\/sample-\w+-uc\.a\.run\.app\n$/);
    expect(step("describe")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("100% LATEST (currently sample-00001-") });

    const early = step("early");
    const refusal = expect.stringContaining("does not have permission to get URL <code>/</code> from this server.");
    expect([early.exitCode, JSON.parse(early.stdout)]).toEqual([9, { status_code: 403, response: refusal }]);
    expect(JSON.parse(early.stderr.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({ error: { code: "NOT_AUTHORIZED" } });
    expect(step("bare")).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("INVALID_ARGUMENT") });
  },
  TIMEOUT_MS,
);

test(
  "the template express works without gcloud",
  async () => {
    const step = await runCommands(newcomer(), "express", UP_COMMANDS);
    expect(step("invoke")).toEqual(INVOKED);
  },
  TIMEOUT_MS,
);

for (const template of ["flask", "fastapi"]) {
  testNeeding(
    "python",
    `the template ${template} works without gcloud, and with the sample's own client`,
    async ([python]) => {
      const step = await runCommands(newcomer(), template, UP_COMMANDS, python);
      expect(step("invoke")).toEqual(INVOKED);
      const { exitCode, stdout } = step("sample");
      const { status_code, response } = JSON.parse(stdout);
      expect([exitCode, status_code, JSON.parse(response)]).toEqual([0, 200, HELLO]);
    },
    TIMEOUT_MS,
  );
}

import { afterAll, beforeEach, expect, test } from "vitest";
import type { Cloud } from "../../src/cloud/cloud.ts";
import type { Service } from "../../src/cloud/service.ts";
import { offerEnabling } from "../../src/cloud/offer-enabling.ts";
import { mergeEnvironment } from "../../src/context/merge-environment.ts";
import { CliError } from "../../src/errors/cli-error.ts";
import type { Terminal } from "../../src/terminal/terminal.ts";
import { fakeGcloud, KNATIVE_SERVICE, runCli } from "../helpers/command-line.ts";
import { HELLO, startEmulator, tinyService } from "../helpers/emulator.ts";

const emulator = await startEmulator(afterAll);
await emulator.deploy("hello", tinyService(HELLO));
const { project } = emulator;

beforeEach(async () => {
  const path = `/v1/projects/${project}/services/run.googleapis.com:disable`;
  const { status, text } = await emulator.request("POST", "serviceusage.googleapis.com", path);
  if (status !== 200) throw new Error(text);
});

function cli(...argv: readonly string[]) {
  const env = mergeEnvironment({ HOME: "/nowhere", PATH: "" }, emulator.status().environment) as Record<string, string>;
  return runCli(["--via", "api", ...argv], { env });
}

test("without a terminal nothing is enabled and no question is asked: the hint says how to enable the API", async () => {
  for (let time = 0; time < 2; time += 1)
    expect(await cli("describe", "hello")).toMatchObject({
      exitCode: 5,
      stdout: "",
      stderr: expect.stringContaining(
        `Error: run.googleapis.com isn't enabled in project ${project}. [PERMISSION_DENIED]\n  To enable it, run the command again with --yes.\n`,
      ),
    });
});

test("--yes enables the API, and the command continues", async () => {
  const { exitCode, stdout, stderr } = await cli("describe", "hello", "--yes", "--json");
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { service: "hello", members: [] }]);
  expect(stderr.match(/✓ Enabled run\.googleapis\.com/g)).toHaveLength(1);
  expect((await cli("describe", "hello")).exitCode).toBe(0);
});

test("a dry run enables nothing", async () => {
  expect((await cli("describe", "hello", "--yes", "--dry-run")).exitCode).toBe(0);
  expect((await cli("describe", "hello")).exitCode).toBe(5);
});

test("with gcloud, gcloud enables the API, and the failed command runs again", async () => {
  const where = "--project my-project --region us-central1 --quiet --format=json";
  const stderr = "ERROR: (gcloud.run.services.describe) PERMISSION_DENIED: API [run.googleapis.com] not enabled on project [my-project].";
  const line = `run services describe hello ${where}`;
  const path = fakeGcloud(
    { line, stderr, exitCode: 1 },
    { line: "services enable run.googleapis.com --project my-project --quiet" },
    { line, stdout: JSON.stringify(KNATIVE_SERVICE) },
  );
  const { exitCode, stdout } = await runCli(["describe", "--url", "--yes"], {
    env: { PROJECT_ID: "my-project", SERVICE_NAME: "hello", ...path },
  });
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "https://hello-abc123-uc.a.run.app\n" });
});

const DISABLED = new CliError("PERMISSION_DENIED", "It isn't enabled.", {
  reason: "API_NOT_ENABLED",
  subject: { kind: "api", name: "run.googleapis.com", project: "p" },
});

/** A control plane whose API is disabled until it is enabled, and for some calls after that. */
function controlPlane(answer: boolean, callsUntilKnown = 0) {
  const told: string[] = [];
  let callsLeft = Number.POSITIVE_INFINITY;
  const describe = async (): Promise<Service> => {
    if (callsLeft > 0) {
      callsLeft -= 1;
      throw DISABLED;
    }
    return { service: "hello" } as Service;
  };
  const enable: Cloud["enable"] = async ({ apis }) => {
    told.push(`enabled ${apis.join()}`);
    callsLeft = callsUntilKnown;
  };
  const terminal = {
    offer: async (question: string) => {
      told.push(question);
      return answer;
    },
    step: (_: object, work: () => Promise<unknown>) => work(),
    wait: (_: string, work: () => Promise<unknown>) => work(),
  } as Pick<Terminal, "offer" | "step" | "wait"> as Terminal;
  const cloud = offerEnabling({ via: "api", describe, enable } as unknown as Cloud, { terminal, signal: new AbortController().signal });
  return { told, describe: () => cloud.describe({ service: "hello", project: "p", region: "r" }) };
}

test("several verbs at once ask about the same API once, and wait until it is usable", async () => {
  const { told, describe } = controlPlane(true, 2);
  expect(await Promise.all([describe(), describe()])).toEqual([{ service: "hello" }, { service: "hello" }]);
  expect(told).toEqual(["run.googleapis.com isn't enabled in project p. Enable it?", "enabled run.googleapis.com"]);
});

test("after the answer no, the verb fails as it would have failed, and the question isn't repeated", async () => {
  const { told, describe } = controlPlane(false);
  for (let time = 0; time < 2; time += 1)
    await expect(describe()).rejects.toMatchObject({ code: "PERMISSION_DENIED", message: DISABLED.message });
  expect(told).toHaveLength(1);
});

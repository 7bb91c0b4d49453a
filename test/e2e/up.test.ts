import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newcomer, type User } from "../helpers/bin.ts";
import { startEmulator } from "../helpers/emulator.ts";
import { stepsOf, upFiles } from "../helpers/up.ts";

/** What each step prints when it is done, in order. */
const DONE_LINES = [
  "✓ Built",
  "✓ Deployed",
  "✓ Unauthenticated request rejected (403)",
  "✓ Granted",
  "✓ Authenticated request succeeded (200) as",
];
const ROUNDS = 3;

let user: User;
let emulator: Awaited<ReturnType<typeof startEmulator>>;
let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  emulator = await startEmulator(afterAll);
  user = newcomer(afterAll);
  const { environment } = emulator.status();
  // Node 22 warns of NODE_USE_ENV_PROXY, which the emulator sets.
  env = {
    ...(Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== null)) as Record<string, string>),
    NODE_NO_WARNINGS: "1",
  };
}, 120_000);

function write(service: string): string {
  const cwd = join(user.work, service);
  for (const [name, text] of Object.entries(upFiles(service))) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  return cwd;
}

/** Starts `up`, and ends it when it prints that a step is done. Returns everything that it printed. */
async function runUpTo(doneLine: string, signal: "SIGINT" | "SIGKILL", cwd: string): Promise<string> {
  const child = user.start(["up", "--via", "api"], { cwd, env });
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (piece: string) => {
    const isNew = !text.includes(doneLine);
    text += piece;
    if (isNew && text.includes(doneLine)) child.kill(signal);
  });
  const { exitCode } = await child;
  // It can end before the signal arrives.
  if (signal === "SIGINT") expect([0, 130, undefined]).toContain(exitCode);
  return text;
}

/** The result of `up`, without the service's own and random names. */
async function outcome(service: string, cwd: string) {
  const { exitCode, stdout, stderr } = await user.run(["up", "--via", "api", "--json"], { cwd, env });
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
  const { steps, ...document } = JSON.parse(stdout);
  const described = await user.run(["describe", service, "--via", "api", "--json"], { cwd, env });
  const { members, traffic, labels, env: variables } = JSON.parse(described.stdout);
  const { items } = (
    await emulator.request(
      "GET",
      "us-central1-run.googleapis.com",
      `/apis/serving.knative.dev/v1/namespaces/${emulator.project}/revisions?labelSelector=serving.knative.dev/service%3D${service}`,
    )
  ).json;
  const text = JSON.stringify({ document, members, traffic, labels, variables, revisions: items.length })
    .replace(/-00001-[a-z0-9]{3}/g, "-00001-abc")
    .replace(/src-[0-9a-f]{32}/g, "src-DIGEST")
    .replaceAll(service, "SERVICE")
    .replace(/SERVICE-[a-z0-9]{10}-uc/g, "SERVICE-HASH-uc");
  return { steps: stepsOf({ steps }), result: JSON.parse(text) as unknown };
}

test.concurrent.for(["SIGINT", "SIGKILL"] as const)(
  "up interrupted by %s after each of its steps comes to the same result as one run",
  { timeout: 300_000 },
  async (signal) => {
    const uninterrupted = `${signal.toLowerCase()}-uninterrupted`;
    const expected = await outcome(uninterrupted, write(uninterrupted));
    expect(expected.steps).toEqual(["look", "build", "deploy", "refuse", "grant", "invoke"]);
    for (let round = 1; round <= ROUNDS; round += 1) {
      const service = `${signal.toLowerCase()}-${round}`;
      const cwd = write(service);
      for (const [index, doneLine] of DONE_LINES.entries()) {
        const text = await runUpTo(doneLine, signal, cwd);
        // A change that is done is not done again.
        const again = DONE_LINES.slice(0, index).filter((earlier) => /Built|Deployed|Granted/.test(earlier) && text.includes(earlier));
        expect({ doneLine, again }).toEqual({ doneLine, again: [] });
      }
      const { steps, result } = await outcome(service, cwd);
      expect(steps).toEqual(["look", "refuse", "invoke"]);
      expect(result).toEqual(expected.result);
    }
  },
);

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mergeEnvironment } from "../../src/context/merge-environment.ts";
import { HELLO, startEmulator, tinyService } from "../helpers/emulator.ts";
import { runCli } from "../helpers/command-line.ts";
import { testNeeding } from "../helpers/requirements.ts";

/** Grants through gcloud at the same time. Each start of gcloud takes a second or more of CPU time. */
const BY_GCLOUD = Number(process.env["GRANTS_BY_GCLOUD"] ?? 5);
const BY_API = 50;
const MIXED_TIMEOUT_MS = 120_000 + BY_GCLOUD * 20_000;

/** Bindings of other clients. */
const OTHERS = [
  { role: "roles/run.viewer", members: ["user:other@example.com"] },
  {
    role: "roles/run.invoker",
    members: ["user:other@example.com"],
    condition: { title: "until", expression: 'request.time < timestamp("2100-01-01T00:00:00Z")' },
  },
];

let emulator: Awaited<ReturnType<typeof startEmulator>>;
const home = mkdtempSync(join(tmpdir(), "cloudrun-oauth-test-"));
beforeAll(async () => {
  emulator = await startEmulator(afterAll);
}, 120_000);
afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

/** A service whose policy has bindings of other clients. */
async function openService(service: string) {
  const { project, request } = emulator;
  await emulator.deploy(service, tinyService(HELLO));
  const policy = `/v1/projects/${project}/locations/us-central1/services/${service}`;
  const body = { policy: { version: 3, bindings: OTHERS } };
  expect((await request("POST", "run.googleapis.com", `${policy}:setIamPolicy`, { body })).status).toBe(200);

  const run = async (change: "grant" | "revoke", member: string, via: "api" | "gcloud" = "api") => {
    const PATH = via === "gcloud" ? (process.env["PATH"] ?? "") : "";
    const env = mergeEnvironment({ HOME: home, PATH }, emulator.status().environment) as Record<string, string>;
    const { exitCode, stderr } = await runCli(["--via", via, "--json", change, service, "--member", member], { env, cwd: home });
    if (exitCode !== 0) throw new Error(`${change} ${member} by ${via}: ${stderr}`);
  };
  return {
    grant: (member: string, via?: "api" | "gcloud") => run("grant", member, via),
    revoke: (member: string) => run("revoke", member),
    /** The members that can invoke it without a condition, sorted; asserts that the bindings of other clients are still there. */
    async invokers(): Promise<string[]> {
      const { json } = await request("GET", "run.googleapis.com", `${policy}:getIamPolicy?options.requestedPolicyVersion=3`);
      const bindings = json["bindings"] as { role: string; members: string[]; condition?: object }[];
      expect(bindings).toEqual(expect.arrayContaining(OTHERS));
      return bindings.flatMap(({ role, members, condition }) => (role === "roles/run.invoker" && !condition ? members : [])).sort();
    },
  };
}

const people = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `user:${prefix}${index}@example.com`);

test(`${BY_API} grants at the same time are all applied, and so are revocations; earlier bindings stay`, { timeout: 120_000 }, async () => {
  const { grant, revoke, invokers } = await openService("crowded");
  const members = people("a", BY_API);
  await Promise.all(members.map((member) => grant(member)));
  expect(await invokers()).toEqual(members.toSorted());
  const leaving = members.slice(0, 10);
  await Promise.all(leaving.map((member) => revoke(member)));
  expect(await invokers()).toEqual(members.slice(leaving.length).sort());
});

testNeeding(
  "gcloud",
  `${BY_GCLOUD} grants through gcloud at the same time are all applied, while ${BY_API} are granted through the API`,
  async () => {
    const { grant, invokers } = await openService("mixed");
    const [byGcloud, byApi] = [people("g", BY_GCLOUD), people("a", BY_API)];
    const oneByOne = async () => {
      for (const member of byApi) await grant(member);
    };
    await Promise.all([oneByOne(), ...byGcloud.map((member) => grant(member, "gcloud"))]);
    expect(await invokers()).toEqual([...byGcloud, ...byApi].sort());
  },
  MIXED_TIMEOUT_MS,
);

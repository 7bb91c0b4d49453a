import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { StartupError } from "../../../src/emulator/run/instances/instance-error.ts";
import { setPolicy } from "../../../src/emulator/iam/policy.ts";
import { createSecret } from "../../../src/emulator/secrets/secrets.ts";
import { addVersion, changeVersion } from "../../../src/emulator/secrets/versions.ts";
import type { State } from "../../../src/emulator/state/state.ts";
import { signIn } from "../../helpers/api-server.ts";
import { ask, failure, KEY, NEVER, openInstances } from "../../helpers/instances.ts";

const ACCOUNT = "123456789012-compute@developer.gserviceaccount.com";
const GREETING = { name: "GREETING", valueFrom: { secretKeyRef: { name: "greeting", key: "latest" } } };
const DENIED = (at: string, secret: string) =>
  `${at}: Permission denied on secret: projects/123456789012/secrets/${secret} for Revision service account ${ACCOUNT}. The service account used must be granted the 'Secret Manager Secret Accessor' role (roles/secretmanager.secretAccessor) at the secret, project or higher level.`;

function addSecret(state: State, id: string, ...values: string[]): void {
  const manager = { state, now: Date.now };
  createSecret(manager, "demo-project", id, { replication: { automatic: {} } });
  for (const value of values) addVersion(manager, `demo-project/${id}`, { payload: { data: Buffer.from(value).toString("base64") } });
}

function allow(state: State, id: string): void {
  signIn(state, ACCOUNT, "ya29.compute");
  const bindings = [{ role: "roles/secretmanager.secretAccessor", members: [`serviceAccount:${ACCOUNT}`] }];
  setPolicy(state, `projects/demo-project/secrets/${id}`, { bindings });
}

async function explanation(opened: ReturnType<typeof openInstances>): Promise<string> {
  const error = await failure(opened.instances);
  expect(error).toBeInstanceOf(StartupError);
  expect((error as StartupError).reason).toBe("SecretsAccessCheckFailed");
  return (error as StartupError).explanation;
}

test("an instance gets a secret's value at its start, if its account can read it", async () => {
  const opened = openInstances({ container: { env: [GREETING] }, idleTimeoutMs: 10 });
  const { state, instances, engine } = opened;
  const at = "spec.template.spec.containers[0].env[0].value_from.secret_key_ref.name";
  expect(await explanation(opened)).toBe(DENIED(at, "greeting/versions/latest"));
  addSecret(state, "greeting", "hello", "good day");
  expect(await explanation(opened)).toBe(DENIED(at, "greeting/versions/latest"));

  allow(state, "greeting");
  const lease = await instances.acquire(KEY, NEVER);
  expect(await ask(lease.port)).toMatchObject({ GREETING: "good day" });
  lease.release();
  await vi.waitFor(() => expect(engine.alive).toBe(0));
  addVersion({ state, now: Date.now }, "demo-project/greeting", { payload: { data: Buffer.from("good night").toString("base64") } });
  expect(await ask((await instances.acquire(KEY, NEVER)).port)).toMatchObject({ GREETING: "good night" });
});

test("a missing or disabled secret prevents the start, and the error lists all problems", async () => {
  const env = ["greeting", "other"].map((name, index) => ({ name: `S${index}`, valueFrom: { secretKeyRef: { name, key: "1" } } }));
  const opened = openInstances({ container: { env } });
  addSecret(opened.state, "greeting", "hello");
  for (const id of ["greeting", "other"]) allow(opened.state, id);
  changeVersion({ state: opened.state, now: Date.now }, "demo-project/greeting", "1", "DISABLED", undefined);
  expect((await explanation(opened)).split("\n")).toEqual([
    expect.stringContaining(
      "env[0].value_from.secret_key_ref.name: Secret Version [projects/123456789012/secrets/greeting/versions/1] is in DISABLED",
    ),
    expect.stringContaining("env[1].value_from.secret_key_ref.name: Secret projects/123456789012/secrets/other/versions/1 was not found"),
  ]);
  expect(opened.engine.started).toBe(0);
});

test("a secret of another project is found by its alias or its full name", async () => {
  const from = (name: string) => ({ secretKeyRef: { name, key: "1" } });
  const env = [
    { name: "GREETING", valueFrom: from("alias") },
    { name: "CLOUD_RUN_TIMEOUT_SECONDS", valueFrom: from("projects/demo-project/secrets/greeting") },
  ];
  const { state, instances } = openInstances({
    container: { env },
    annotations: { "run.googleapis.com/secrets": "unused:projects/x/secrets/y,alias:projects/123456789012/secrets/greeting" },
  });
  addSecret(state, "greeting", "hello");
  allow(state, "greeting");
  expect(await ask((await instances.acquire(KEY, NEVER)).port)).toMatchObject({ GREETING: "hello", CLOUD_RUN_TIMEOUT_SECONDS: "hello" });
});

test("mounted secrets are only in folders that are removed with the instance", async () => {
  const volumes = [
    {
      name: "../..",
      secret: {
        secretName: "greeting",
        items: [
          { key: "1", path: "first" },
          { key: "latest", path: "../../sub/last" },
        ],
      },
    },
    { name: "whole", secret: { secretName: "greeting" } },
    { name: "memory", emptyDir: {} },
  ];
  const volumeMounts = [
    { name: "../..", mountPath: "/etc/greeting" },
    { name: "whole", mountPath: "/whole" },
    { name: "memory", mountPath: "/scratch" },
  ];
  const { state, instances, engine } = openInstances({ spec: { volumes }, container: { volumeMounts }, idleTimeoutMs: 10 });
  addSecret(state, "greeting", "hello", "good day");
  allow(state, "greeting");
  const lease = await instances.acquire(KEY, NEVER);
  const [first, whole, ...rest] = engine.mounts;
  expect(rest).toEqual([]);
  expect([first?.path, whole?.path]).toEqual(["/etc/greeting", "/whole"]);
  const root = join(state.directory, "keys", "mounts");
  expect(first?.directory.startsWith(`${root}/`)).toBe(true);
  const read = (directory = "", path: string) => readFileSync(join(directory, path), "utf8");
  expect([read(first?.directory, "first"), read(first?.directory, "sub/last"), read(whole?.directory, "greeting")]).toEqual([
    "hello",
    "good day",
    "good day",
  ]);
  expect(statSync(root).mode & 0o777).toBe(0o700);
  lease.release();
  await vi.waitFor(() => expect(existsSync(first?.directory ?? "")).toBe(false));
  expect(readdirSync(root)).toEqual([]);
});

import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startEmulator } from "../../../src/library/emulator.ts";
import { folder, runCli } from "../../helpers/command-line.ts";
import { HELLO, tinyService } from "../../helpers/emulator.ts";

const open = (project: string) => startEmulator({ project, engine: "process" });
const emulator = await open("first-project");
afterAll(() => emulator.close());

const CALLER = "my-caller@first-project.iam.gserviceaccount.com";
const SEED = {
  projects: [
    {
      accounts: [
        { email: "my-caller", display_name: "Calls", keys: ["keys/caller.json"] },
        {
          email: "sleeper",
          disabled: true,
          bindings: [{ role: "roles/iam.serviceAccountTokenCreator", members: [`serviceAccount:${CALLER}`] }],
        },
      ],
      bindings: [{ role: "roles/run.viewer", members: [`serviceAccount:${CALLER}`] }],
      buckets: [{ name: "my-bucket", location: "US" }],
      services: [
        { name: "hello", source: "hello", env: { A: "b" }, members: [`serviceAccount:${CALLER}`] },
        { name: "open", region: "europe-west1", source: "hello", allow_unauthenticated: true },
      ],
    },
    { project: "second-project", accounts: [{ email: "other-caller", keys: ["keys/other.json"] }] },
  ],
};

function seedFolder(seed: unknown = SEED): string {
  const hello = Object.fromEntries(Object.entries(tinyService(HELLO)).map(([name, text]) => [`hello/${name}`, text]));
  return folder({ ...hello, "seed.json": JSON.stringify(seed) });
}

function cli(cwd: string, argv: readonly string[], url = emulator.url) {
  return runCli(["emulator", ...argv], { cwd, env: { CLOUDRUN_OAUTH_EMULATOR: url } });
}

async function seed(cwd: string, url = emulator.url) {
  const { exitCode, stdout, stderr } = await cli(cwd, ["seed", "seed.json", "--json"], url);
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
  return (JSON.parse(stdout) as { seeded: { kind: string; name: string; made: boolean }[] }).seeded;
}

test("a seed file's resources are created once, and an export recreates them in a new emulator", async () => {
  const cwd = seedFolder();
  const made = await seed(cwd);
  expect(made).toEqual([
    { kind: "project", name: "first-project", made: false },
    { kind: "account", name: CALLER, made: true },
    { kind: "key", name: join(cwd, "keys/caller.json"), made: true },
    { kind: "account", name: "sleeper@first-project.iam.gserviceaccount.com", made: true },
    { kind: "policy", name: "sleeper@first-project.iam.gserviceaccount.com", made: true },
    { kind: "bucket", name: "my-bucket", made: true },
    { kind: "service", name: "first-project/us-central1/hello", made: true },
    { kind: "service", name: "first-project/europe-west1/open", made: true },
    { kind: "policy", name: "first-project", made: true },
    { kind: "project", name: "second-project", made: true },
    { kind: "account", name: "other-caller@second-project.iam.gserviceaccount.com", made: true },
    { kind: "key", name: join(cwd, "keys/other.json"), made: true },
  ]);
  const key = readFileSync(join(cwd, "keys/caller.json"), "utf8");
  expect(statSync(join(cwd, "keys/caller.json")).mode & 0o777).toBe(0o600);
  const services = await runCli(["--emulator", "--via", "api", "describe", "hello", "--json"], {
    env: { CLOUDRUN_OAUTH_EMULATOR: emulator.url },
  });
  const { url } = JSON.parse(services.stdout) as { url: string };
  const token = await emulator.fetchIdToken({ credentials: join(cwd, "keys/caller.json"), audience: url });
  expect((await emulator.fetch(url, { headers: { Authorization: `Bearer ${token}` } })).status).toBe(200);
  expect((await emulator.fetch(url)).status).toBe(403);

  expect((await seed(cwd)).filter(({ made }) => made)).toEqual([]);
  expect(readFileSync(join(cwd, "keys/caller.json"), "utf8")).toBe(key);

  expect(await cli(cwd, ["export", "out/../again.json"])).toMatchObject({ exitCode: 0, stdout: `${join(cwd, "again.json")}\n` });
  const text = readFileSync(join(cwd, "again.json"), "utf8");
  expect(text).not.toContain("PRIVATE KEY");
  const exported = JSON.parse(text) as object;
  expect(exported).toEqual({
    projects: [
      {
        project: "first-project",
        accounts: [
          { email: CALLER, display_name: "Calls" },
          {
            email: "sleeper@first-project.iam.gserviceaccount.com",
            disabled: true,
            bindings: [{ role: "roles/iam.serviceAccountTokenCreator", members: [`serviceAccount:${CALLER}`] }],
          },
        ],
        bindings: [{ role: "roles/run.viewer", members: [`serviceAccount:${CALLER}`] }],
        buckets: [{ name: "my-bucket", location: "US" }],
        services: [
          { name: "open", region: "europe-west1", source: "again-sources/first-project/europe-west1/open", allow_unauthenticated: true },
          {
            name: "hello",
            region: "us-central1",
            source: "again-sources/first-project/us-central1/hello",
            env: { A: "b" },
            members: [`serviceAccount:${CALLER}`],
          },
        ],
      },
      { project: "second-project", accounts: [{ email: "other-caller@second-project.iam.gserviceaccount.com" }] },
    ],
  });

  const fresh = await open("third-project");
  try {
    writeFileSync(join(cwd, "seed.json"), text);
    expect((await seed(cwd, fresh.url)).filter(({ made }) => !made)).toEqual([]);
    const again = JSON.parse((await cli(cwd, ["export"], fresh.url)).stdout) as {
      projects: { project: string; services?: { image?: string }[] }[];
    };
    expect(again.projects.map(({ project }) => project)).toEqual(["first-project", "second-project", "third-project"]);
    expect(again.projects[0]?.services?.map(({ image }) => image)).toEqual([
      expect.stringContaining("/open@sha256:"),
      expect.stringContaining("/hello@sha256:"),
    ]);
  } finally {
    await fresh.close();
  }
});

test("a key file that the emulator no longer knows is replaced, and any other is kept", async () => {
  const accounts = (keys: string[]) => ({ projects: [{ accounts: [{ email: "key-holder", keys }] }] });
  const cwd = seedFolder(accounts(["a.json"]));
  const elsewhere = await open("first-project");
  await seed(cwd, elsewhere.url).finally(() => elsewhere.close());
  const before = readFileSync(join(cwd, "a.json"), "utf8");
  expect((await seed(cwd)).at(-1)).toEqual({ kind: "key", name: join(cwd, "a.json"), made: true });
  expect(readFileSync(join(cwd, "a.json"), "utf8")).not.toBe(before);

  const googles = before.replace(/"private_key_id": "[0-9a-f]+"/, `"private_key_id": "${"0".repeat(40)}"`);
  const others = before.replace('"client_email": "key-holder', '"client_email": "other-holder');
  for (const [text, reason] of [
    [googles, "contains a key that wasn't created by an emulator"],
    [others, "is a key file for other-holder"],
  ] as const) {
    writeFileSync(join(cwd, "a.json"), text);
    expect(await cli(cwd, ["seed", "seed.json"])).toMatchObject({ exitCode: 5, stderr: expect.stringContaining(reason) });
    expect(readFileSync(join(cwd, "a.json"), "utf8")).toBe(text);
  }
});

test("a user gets a login in gcloud's format, which is replaced only if the emulator no longer knows it", async () => {
  const cwd = seedFolder({
    users: [{ email: "me@example.com", credentials: "logins/me.json" }, { email: "you@example.com" }],
    projects: [],
  });
  const file = join(cwd, "logins/me.json");
  expect(await seed(cwd)).toEqual([
    { kind: "user", name: "me@example.com", made: true },
    { kind: "login", name: file, made: true },
    { kind: "user", name: "you@example.com", made: true },
  ]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const text = readFileSync(file, "utf8");
  const { client_id } = JSON.parse(text) as { client_id: string };
  const token = await runCli(["token", "--json", "--credentials", file, "https://a.example.com"], {
    env: { CLOUDRUN_OAUTH_EMULATOR: emulator.url },
  });
  expect(JSON.parse(token.stdout)).toMatchObject({ claims: { email: "me@example.com", aud: client_id } });
  expect((await seed(cwd)).filter(({ made }) => made)).toEqual([]);
  expect(readFileSync(file, "utf8")).toBe(text);
  const { users } = JSON.parse((await cli(cwd, ["export"])).stdout) as { users: object[] };
  expect(users).toEqual([{ email: "me@example.com" }, { email: "you@example.com" }]);

  const fresh = await open("fourth-project");
  await seed(cwd, fresh.url).finally(() => fresh.close());
  expect(readFileSync(file, "utf8")).not.toBe(text);
  for (const other of [text.replace("1//0emulator-", "1//0"), text.replace("me@example.com", "you@example.com"), "no JSON"]) {
    writeFileSync(file, other);
    expect(await cli(cwd, ["seed", "seed.json"])).toMatchObject({ exitCode: 5, stderr: expect.stringContaining("[CONFLICT]") });
    expect(readFileSync(file, "utf8")).toBe(other);
  }
});

test.for([
  ["no JSON", "{", "isn't valid JSON"],
  ["an unknown field", { projects: [{ services: [{ name: "a", source: ".", port: 1 }] }] }, "projects[0].services[0].port: "],
  ["a wrong type", { projects: [{ accounts: [{ email: "my-caller", keys: "a.json" }] }] }, "projects[0].accounts[0].keys: "],
  ["an impossible name", { projects: [{ services: [{ name: "A", source: "." }] }] }, "projects[0].services[0].name: use at most 49"],
  ["neither source nor image", { projects: [{ services: [{ name: "a" }] }] }, "projects[0].services[0]: set either source or image"],
  ["no projects", {}, "projects: "],
] as const)("%s: the error names the file and the place in it", async ([, content, reason]) => {
  const cwd = folder({ "seed.json": typeof content === "string" ? content : JSON.stringify(content) });
  const { exitCode, stdout, stderr } = await cli(cwd, ["seed", "seed.json"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toContain(join(cwd, "seed.json"));
  expect(stderr).toContain(reason);
});

test("a missing file is not found, and a dry run creates nothing", async () => {
  expect(await cli(folder(), ["seed", "seed.json"])).toMatchObject({ exitCode: 4 });
  const { stdout } = await cli(
    seedFolder({ projects: [{ project: "dry-project", accounts: [{ email: "my-caller", keys: ["k.json"] }] }] }),
    ["seed", "seed.json", "--dry-run"],
  );
  expect(stdout).toBe("project dry-project\naccount my-caller\nkey for my-caller in k.json\n");
  expect((await cli(folder(), ["export"])).stdout).not.toContain("dry-project");
});

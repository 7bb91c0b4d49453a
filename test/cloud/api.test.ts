import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { overlay } from "../../src/context.ts";
import { createEmulator, type Emulator } from "../../src/emulator/index.ts";
import { folder, runCli } from "../helpers/command-line.ts";

// The whole control plane by REST, against the emulator: one service, step after step.

let emulator: Emulator;
const home = mkdtempSync(join(tmpdir(), "cloudrun-oauth-test-"));

beforeAll(async () => {
  emulator = await createEmulator({
    directory: join(home, "emulator"),
    port: 0,
    engine: "process",
    env: { PATH: dirname(process.execPath), HOME: home },
  });
});

afterAll(async () => {
  await emulator?.close();
  rmSync(home, { recursive: true, force: true });
});

async function cli(...argv: readonly string[]) {
  const env = overlay({ HOME: home, SERVICE_NAME: "hello" }, emulator.status().environment) as Record<string, string>;
  return runCli(argv, { env: { ...env, PATH: "" }, cwd: folder() });
}

async function json(...argv: readonly string[]): Promise<Record<string, never>> {
  const { exitCode, stdout, stderr } = await cli(...argv, "--json");
  if (exitCode !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, never>;
}

const IMAGE = "us-central1-docker.pkg.dev/cloudrun-local/cloudrun-oauth/hello";

function service(text: string): string {
  const app = `require("node:http").createServer((_, r) => r.end(${JSON.stringify(text)} + (process.env.MOOD ?? ""))).listen(process.env.PORT);`;
  return folder({ Dockerfile: 'FROM node:22-slim\nWORKDIR /app\nCOPY app.cjs ./\nCMD ["node", "app.cjs"]\n', "app.cjs": app });
}

test("build uploads the source, makes the repository, and shows the log", async () => {
  const { exitCode, stdout, stderr } = await cli("build", service("one"));
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(new RegExp(`^IMAGE\t${IMAGE}\nDIGEST\tsha256:[0-9a-f]{64}\nBUILD\t[0-9a-f-]{36}\nLOG\thttps://`));
  expect(stderr).toContain("\nFETCHSOURCE\n");
  expect(stderr.match(/^DONE$/gm)).toHaveLength(1);
  const again = await json("build", service("one"));
  expect(again).toMatchObject({ image: IMAGE, digest: expect.stringMatching(/^sha256:/), duration: expect.any(Number) });
});

test("deploy makes the service, private, and describe finds it", async () => {
  const deployed = await json("deploy", "--env", "MOOD=!");
  expect(deployed).toMatchObject({
    service: "hello",
    image: IMAGE,
    revision: expect.stringMatching(/^hello-00001-/),
    url: expect.stringMatching(/^https:\/\/hello-.*\.run\.app$/),
  });
  expect(await json("describe")).toEqual({ ...deployed, members: [] });
  expect((await cli("describe", "--url")).stdout).toBe(`${deployed["url"]}\n`);
});

test("grant --wait calls as the member until it is let in", async () => {
  expect((await cli("invoke")).exitCode).toBe(9);
  const { waited, member } = await json("grant", "--wait");
  expect({ waited, member }).toEqual({
    waited: { by: "call", ms: expect.any(Number) },
    member: "serviceAccount:caller@cloudrun-local.iam.gserviceaccount.com",
  });
  expect(JSON.parse((await cli("invoke")).stdout)).toEqual({ status_code: 200, response: "one!" });
});

test("a revision without traffic has its tag's URL, and the others go on being served", async () => {
  await json("build", service("two"));
  const { traffic, latest_created_revision } = (await json("deploy", "--no-traffic", "--tag", "next")) as never as {
    traffic: { tag: string | null; percent: number; revision: string; url: string }[];
    latest_created_revision: string;
  };
  const tagged = traffic.find(({ tag }) => tag === "next");
  expect(tagged).toMatchObject({ percent: 0, revision: latest_created_revision, url: expect.stringMatching(/^https:\/\/next---hello-/) });
  expect(JSON.parse((await cli("invoke")).stdout)).toMatchObject({ response: "one!" });
  expect(JSON.parse((await cli("invoke", tagged!.url)).stdout)).toMatchObject({ response: "two!" });
});

test("of many grants at the same time none is lost", async () => {
  const names = Array.from({ length: 8 }, (_, index) => `user:p${index}@example.com`);
  await Promise.all(names.map((member) => json("grant", "--member", member)));
  const { members } = (await json("members")) as never as { members: { member: string }[] };
  expect(members.map(({ member }) => member)).toEqual(expect.arrayContaining(names));
  await Promise.all(names.map((member) => json("revoke", "--member", member)));
  const { members: rest } = (await json("members")) as never as { members: { inherited_from: string | null }[] };
  expect(rest.filter(({ inherited_from }) => inherited_from === null)).toHaveLength(1);
});

test("a service is public only as long as each deployment says so", async () => {
  await json("deploy", "--allow-unauthenticated");
  expect((await cli("members")).stdout).toContain("allUsers\troles/run.invoker\n");
  await json("deploy");
  expect((await cli("members")).stdout).not.toContain("allUsers");
});

test.for([
  [["describe", "nope"], 4, "There is no service nope."],
  [["deploy", "--image", "gcr.io/cloudrun-local/nope"], 4, "There is no image gcr.io/cloudrun-local/nope."],
  [["-p", "some-other-project", "describe"], 5, "Project some-other-project does not exist, or you may not use it."],
  [["deploy", "--", "--vpc-connector", "x"], 2, "--vpc-connector is for gcloud, and this deployment goes by Google's API."],
] as const)("%j leaves %i: %s", async ([argv, code, message]) => {
  const { exitCode, stdout, stderr } = await cli(...argv);
  expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: "" });
  expect(stderr).toContain(message);
});

test("a build that fails says where it failed", async () => {
  const { exitCode, stderr } = await cli("build", folder({ Dockerfile: "FROM node:22-slim\nCOPY missing.js ./\n" }));
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/missing\.js[\s\S]*error: Cloud Build ended the build with FAILURE[^\n]* \[BUILD_FAILED\]\nhint: Its log: https:/);
});

test("--dry-run says the requests, and sends none", async () => {
  const { exitCode, stdout } = await cli("deploy", "fresh", "--dry-run");
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(
    /^GET https:\/\/us-central1-run\.googleapis\.com\/apis\/serving\.knative\.dev\/v1\/namespaces\/cloudrun-local\/services\/fresh\nPOST https:[^ ]+\/services \{.*\}\nGET /,
  );
  expect((await cli("describe", "fresh")).exitCode).toBe(4);
});

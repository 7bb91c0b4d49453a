import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newcomer, newUser, type User } from "../helpers/bin.ts";
import { testNeeding } from "../helpers/requirements.ts";

const ANSWER = { status_code: 200, response: { message: "Hello World from authenticated Cloud Run!" } };

function expectNothingLeft(user: User): void {
  expect([user.processes(), readdirSync(user.temporary)]).toEqual([[], []]);
  expect(readdirSync(join(user.folder, "home")).filter((name) => name !== ".npm")).toEqual([]);
}

testNeeding(
  "gcloud",
  "quickstart, the first command of the README, does everything through gcloud, and prints what the README shows",
  async () => {
    const user = newUser();
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    expect(readme).toContain("\ncloudrun-oauth quickstart\n");
    const { exitCode, stdout, stderr } = await user.run(["quickstart"]);
    expect([exitCode, stdout]).toEqual([0, /```json\n([\s\S]*?)```/.exec(readme)?.[1]]);
    expect(stderr).toContain("Using gcloud.\n");
    expect(readFileSync(join(user.work, "hello-cloud-run", "package.json"), "utf8")).toContain('"hono"');
    expectNothingLeft(user);
  },
  180_000,
);

test("quickstart without gcloud says that it uses the REST APIs, and comes to the same result", async () => {
  const user = newcomer();
  const { exitCode, stdout, stderr } = await user.run(["quickstart"]);
  expect([exitCode, stdout]).toEqual([0, `${JSON.stringify(ANSWER, null, 2)}\n`]);
  expect(stderr).toContain("Using the Google Cloud APIs (gcloud isn't installed).\n");
  expectNothingLeft(user);
});

test("quickstart --template express --json prints one document with the duration of every step", async () => {
  const user = newcomer();
  const { exitCode, stdout, stderr } = await user.run(["quickstart", "--template", "express", "--dir", "deep/er", "--json"]);
  expect({ exitCode, stderr: stderr.includes("error") }).toEqual({ exitCode: 0, stderr: false });
  const { steps, ...document } = JSON.parse(stdout);
  expect(document).toEqual({
    service: "hello-cloud-run",
    project: "cloudrun-local",
    region: "us-central1",
    url: expect.stringMatching(/^https:\/\/hello-cloud-run-\w+-uc\.a\.run\.app$/),
    image: "us-central1-docker.pkg.dev/cloudrun-local/cloudrun-oauth/hello-cloud-run",
    revision: expect.stringMatching(/^hello-cloud-run-00001-\w{3}$/),
    member: "serviceAccount:caller@cloudrun-local.iam.gserviceaccount.com",
    refused: { status_code: 403 },
    invoke: ANSWER,
  });
  expect(steps.map(({ name }: { name: string }) => name)).toEqual(["init", "emulator", "build", "deploy", "refuse", "grant", "invoke"]);
  for (const { ms } of steps) expect(ms).toEqual(expect.any(Number));
  expect(readFileSync(join(user.work, "deep", "er", "package.json"), "utf8")).toContain('"express"');
  expectNothingLeft(user);
});

test("an interrupted quickstart leaves no process and no temporary folder", async () => {
  const user = newcomer();
  const running = user.start(["quickstart"]);
  await new Promise<void>((begun) => running.stderr.on("data", () => existsSync(join(user.work, "hello-cloud-run")) && begun()));
  running.kill("SIGINT");
  const { exitCode, stdout } = await running;
  expect([exitCode, stdout]).toEqual([130, ""]);
  expectNothingLeft(user);
});

test("quickstart refuses a folder that is not empty, and changes nothing", async () => {
  const user = newcomer();
  await user.run(["init", "taken", "--yes"]);
  const before = readdirSync(join(user.work, "taken"));
  const { exitCode, stdout, stderr } = await user.run(["quickstart", "--dir", "taken"]);
  expect([exitCode, stdout, stderr.includes("[USAGE]")]).toEqual([2, "", true]);
  expect(readdirSync(join(user.work, "taken"))).toEqual(before);
  expectNothingLeft(user);
});

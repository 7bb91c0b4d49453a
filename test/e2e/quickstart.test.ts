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

test("quickstart without gcloud uses the APIs, with another template and folder; its next steps work as pasted", async () => {
  const user = newcomer();
  const { exitCode, stdout, stderr } = await user.run(["quickstart", "--template", "express", "--dir", "deep/er"]);
  expect([exitCode, stdout]).toEqual([0, `${JSON.stringify(ANSWER, null, 2)}\n`]);
  expect(stderr).toContain("Using the Google Cloud APIs (gcloud isn't installed).\n");
  expect(stderr.replaceAll(/ \(\d[\d.]* s\)$/gm, "").match(/^✓ .*/gm)).toEqual([
    "✓ Created deep/er from the express template",
    expect.stringMatching(/^✓ Started emulator at http:\/\/127\.0\.0\.1:\d+$/),
    "✓ Built hello-cloud-run",
    "✓ Deployed hello-cloud-run",
    "✓ Unauthenticated request rejected (403)",
    "✓ Granted roles/run.invoker to caller@cloudrun-local.iam.gserviceaccount.com",
    "✓ Authenticated request succeeded (200) as caller@cloudrun-local.iam.gserviceaccount.com",
  ]);
  // The commands name the way to this tool from the folder that they are for.
  const [cd, ...commands] = [...stderr.matchAll(/^ {4}(.*)$/gm)].map(([, command]) => command);
  expect(cd).toBe("cd deep/er");
  expect(commands).toEqual(
    ["emulator start --detach", "up --emulator", "up --project PROJECT_ID"].map((line) => `node ${user.bin} ${line}`),
  );
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

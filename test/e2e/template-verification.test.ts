import { execa } from "execa";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { startEmulator } from "../../src/library/emulator.ts";
import { folder } from "../helpers/command-line.ts";
import { testNeeding } from "../helpers/requirements.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const AUDIENCE = "https://greeter.example.com";

const emulator = await startEmulator({ engine: "process" });
afterAll(() => emulator.close());

/** The file in a template's README. */
function moduleOf(template: string, language: string): string {
  const readme = readFileSync(join(ROOT, "templates", template, "README.md"), "utf8");
  return new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1] ?? "";
}

/** Runs a program that prints, as JSON, the caller in each of AUTHORIZATIONS, with an audience and without. */
async function whoIsNamed(run: (env: Readonly<Record<string, string | undefined>>) => Promise<string>): Promise<unknown[]> {
  const credentials = await emulator.createKey("my-caller");
  const token = await emulator.fetchIdToken({ credentials, audience: AUDIENCE });
  const signed = token.slice(0, token.lastIndexOf("."));
  const others = [
    await emulator.fetchIdToken({ credentials, audience: "https://other.example.com" }),
    `${signed}.SIGNATURE_REMOVED_BY_GOOGLE`,
    `${signed}.`,
    "none",
  ];
  const authorizations = [token, ...others].map((credential) => `Bearer ${credential}`);
  const env = { ...emulator.env, AUTHORIZATIONS: JSON.stringify([...authorizations, ""]) };
  return [JSON.parse(await run({ ...env, AUDIENCE })), JSON.parse(await run({ ...env, AUDIENCE: "" }))];
}

const NAMED = [
  ["my-caller@cloudrun-local.iam.gserviceaccount.com", null, null, null, null, null],
  [null, null, null, null, null, null],
];

test.for(["hono", "express"])("the verification in the README of %s accepts only a valid token", async (template) => {
  const cwd = folder({
    "verify.mjs": moduleOf(template, "js"),
    "run.mjs": `
      import { verifiedEmail } from "./verify.mjs";
      const found = JSON.parse(process.env.AUTHORIZATIONS).map((authorization) => verifiedEmail({ authorization }));
      console.log(JSON.stringify(await Promise.all(found)));`,
  });
  mkdirSync(join(cwd, "node_modules"));
  symlinkSync(join(ROOT, "node_modules/google-auth-library"), join(cwd, "node_modules/google-auth-library"));
  const named = await whoIsNamed(
    async (env) => (await execa(process.execPath, ["run.mjs"], { cwd, env: { ...process.env, ...env }, extendEnv: false })).stdout,
  );
  expect(named).toEqual(NAMED);
});

for (const template of ["flask", "fastapi"]) {
  testNeeding("google-auth", `what the README of ${template} verifies with takes a good token, and no other`, async ([python = ""]) => {
    const cwd = folder();
    writeFileSync(join(cwd, "verify.py"), moduleOf(template, "python"));
    const code =
      "import json, os; from verify import verified_email; print(json.dumps([verified_email({'Authorization': text}) for text in json.loads(os.environ['AUTHORIZATIONS'])]))";
    const named = await whoIsNamed(
      async (env) => (await execa(python, ["-B", "-c", code], { cwd, env: { ...process.env, ...env }, extendEnv: false })).stdout,
    );
    expect(named).toEqual(NAMED);
  });
}

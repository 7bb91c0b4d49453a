import { execa } from "execa";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { newUser, type User } from "./helpers/bin.ts";
import { HELLO, tinyService } from "./helpers/emulator.ts";
import { testNeeding } from "./helpers/requirements.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");
const examples = readme.slice(readme.indexOf("<!-- run by test/readme-examples.test.ts -->"));

/** The first block of a language. */
function example(language: string): string {
  return new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(examples)?.[1] ?? "";
}

/** A user whose folder holds the service, the example as a file, and the packages that it asks for. */
function withExample(file: string, text: string, packages: readonly string[]): User {
  const user = newUser();
  for (const [name, content] of Object.entries({ ...tinyService(HELLO), [`../${file}`]: text })) {
    mkdirSync(join(user.work, "hello"), { recursive: true });
    writeFileSync(join(user.work, "hello", name), content);
  }
  mkdirSync(join(user.work, "node_modules"));
  for (const name of packages) {
    mkdirSync(join(user.work, "node_modules", name, ".."), { recursive: true });
    symlinkSync(name === "cloudrun-oauth" ? root : join(root, "node_modules", name), join(user.work, "node_modules", name));
  }
  return user;
}

test("the example for vitest passes as it stands, and its types are right", async () => {
  const { work, env } = withExample("hello.test.ts", example("ts"), ["cloudrun-oauth", "vitest", "@types/node"]);
  // A configuration of its own, so that none is looked for further up.
  writeFileSync(join(work, "vitest.config.mjs"), "export default {};\n");
  const settings = { cwd: work, env, extendEnv: false, reject: false, all: true } as const;
  const vitest = await execa(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", "--root", work], settings);
  expect({ exitCode: vitest.exitCode, all: vitest.all }).toEqual({ exitCode: 0, all: expect.stringMatching(/Tests .*2 passed/) });
  const flags = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext", "--types", "node"];
  writeFileSync(join(work, "package.json"), '{"type": "module"}');
  const types = await execa(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), ...flags, "hello.test.ts"], settings);
  expect({ exitCode: types.exitCode, all: types.all }).toEqual({ exitCode: 0, all: "" });
});

test("the example of a seed file is one", async () => {
  const { work, run } = withExample("emulator.json", example("json"), []);
  const { exitCode, stdout } = await run(["emulator", "seed", "hello/../emulator.json", "--dry-run"], { cwd: work });
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining("service hello from hello\n") });
});

testNeeding("pytest", "the example for pytest passes as it stands", async ([python = ""]) => {
  const user = withExample("test_hello.py", example("python"), []);
  const programs = join(user.folder, "programs");
  mkdirSync(programs);
  symlinkSync(user.bin, join(programs, "cloudrun-oauth"));
  chmodSync(user.bin, 0o755);
  const env = { PATH: `${programs}:${user.env["PATH"]}` };
  const argv = ["emulator", "exec", "--", python, "-m", "pytest", "-q", "-p", "no:cacheprovider"];
  const { exitCode, stdout } = await user.run(argv, { env: { ...env, CLOUDRUN_OAUTH_ENGINE: "process" } });
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining("2 passed") });
});

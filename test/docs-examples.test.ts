import { execa } from "execa";
import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { startEmulator } from "../src/library/emulator.ts";
import { newUser, type User } from "./helpers/bin.ts";
import { HELLO, tinyService } from "./helpers/emulator.ts";
import { testNeeding } from "./helpers/requirements.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const examples = readFileSync(join(root, "docs/testing.md"), "utf8");
const library = readFileSync(join(root, "docs/library.md"), "utf8");
const [calling = "", fetching = "", receiving = ""] = [...library.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, text = ""]) => text);

/** The first code block in a language. */
function example(language: string): string {
  return new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(examples)?.[1] ?? "";
}

/** Creates a user whose folder has the service, the example as a file, and the packages that it imports. */
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

test("the example for Vitest passes, and its types are valid", async () => {
  const { work, env } = withExample("hello.test.ts", example("ts"), ["cloudrun-oauth", "vitest", "@types/node"]);
  // Its own configuration: Vitest would search for one in parent folders.
  writeFileSync(join(work, "vitest.config.mjs"), "export default {};\n");
  const settings = { cwd: work, env, extendEnv: false, reject: false, all: true } as const;
  const vitest = await execa(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", "--root", work], settings);
  expect({ exitCode: vitest.exitCode, all: vitest.all }).toEqual({ exitCode: 0, all: expect.stringMatching(/Tests .*2 passed/) });
  expect(await checkTypes(work, "hello.test.ts")).toEqual({ exitCode: 0, all: "" });
});

/** Compiles files in a folder that has the packages. */
async function checkTypes(work: string, ...files: readonly string[]) {
  const flags = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext", "--types", "node"];
  writeFileSync(join(work, "package.json"), '{"type": "module"}');
  const argv = [join(root, "node_modules/typescript/bin/tsc"), ...flags, ...files];
  const { exitCode, all } = await execa(process.execPath, argv, { cwd: work, reject: false, all: true });
  return { exitCode, all };
}

async function openEmulator() {
  const emulator = await startEmulator({ engine: "process" });
  onTestFinished(() => emulator.close());
  return emulator;
}

test("the examples of the library have valid types", async () => {
  const { work } = withExample("calling.ts", calling, ["cloudrun-oauth", "@types/node"]);
  writeFileSync(join(work, "fetching.ts"), fetching);
  writeFileSync(join(work, "receiving.ts"), receiving);
  expect(await checkTypes(work, "calling.ts", "fetching.ts", "receiving.ts")).toEqual({ exitCode: 0, all: "" });
});

test("the examples of a caller explain the rejected request, and print the response after a grant", async () => {
  const emulator = await openEmulator();
  const user = withExample("calling.mjs", "", ["cloudrun-oauth"]);
  const { name, url } = await emulator.deploy(join(user.work, "hello"));
  const key = JSON.stringify(await emulator.createKey("my-caller"));
  for (const [file, text] of Object.entries({ calling, fetching })) {
    const filled = text.replace(/https:\/\/hello-\w+-uc\.a\.run\.app/, url).replace('"caller.json"', key);
    writeFileSync(join(user.work, `${file}.mjs`), filled);
  }
  // Not every Node.js version's fetch uses the emulator. The library's does, and adds no token for another origin.
  writeFileSync(
    join(user.work, "fetch.mjs"),
    'import { createFetch } from "cloudrun-oauth"; globalThis.fetch = createFetch({ url: "http://127.0.0.1:1" });',
  );
  const run = async (file: string) => {
    const settings = { cwd: user.work, env: { ...user.env, ...emulator.env }, extendEnv: false, reject: false } as const;
    const { exitCode, stdout, stderr } = await execa(process.execPath, ["--import", "./fetch.mjs", `${file}.mjs`], settings);
    return { exitCode, stdout, stderr };
  };
  // Some Node.js versions warn about the proxy in the emulator's environment.
  expect(await run("calling")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('my-caller@cloudrun-local.iam.gserviceaccount.com doesn\'t have permission to invoke "hello"'),
  });
  expect(await run("fetching")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("code: 'NOT_AUTHORIZED'") });
  await emulator.grant(name, "my-caller@cloudrun-local.iam.gserviceaccount.com");
  expect(await run("fetching")).toMatchObject({ exitCode: 0, stdout: '{"message":"Hello World from authenticated Cloud Run!"}' });
  expect(await run("calling")).toMatchObject({ exitCode: 0, stdout: "{ message: 'Hello World from authenticated Cloud Run!' }" });
});

test("the example of a public service accepts a valid token and explains an invalid one", async () => {
  const emulator = await openEmulator();
  const { work } = withExample("receiving.mjs", "", []);
  const service = join(work, "greeter");
  mkdirSync(join(service, "node_modules/cloudrun-oauth"), { recursive: true });
  for (const part of ["dist", "package.json"])
    cpSync(join(root, part), join(service, "node_modules/cloudrun-oauth", part), { recursive: true });
  writeFileSync(join(service, "server.mjs"), receiving);
  writeFileSync(join(service, "Dockerfile"), 'FROM node:22-slim\nWORKDIR /app\nCOPY . ./\nCMD ["node", "server.mjs"]\n');
  const audience = "https://greeter.example.com";
  const { url } = await emulator.deploy(service, { allowUnauthenticated: true, env: { AUDIENCE: audience } });
  const credentials = await emulator.createKey("my-caller");
  const call = async (token: string) => {
    const response = await emulator.fetch(url, { headers: { Authorization: `Bearer ${token}` } });
    return [response.status, await response.text()];
  };
  const token = await emulator.fetchIdToken({ credentials, audience });
  expect(await call(token)).toEqual([200, "Hello my-caller@cloudrun-local.iam.gserviceaccount.com"]);
  expect(await call(await emulator.fetchIdToken({ credentials, audience: url }))).toEqual([
    401,
    `Wrong audience: the ID token is for ${url}, not for ${audience}.`,
  ]);
  expect(await call(`${token.slice(0, token.lastIndexOf("."))}.SIGNATURE_REMOVED_BY_GOOGLE`)).toEqual([
    401,
    expect.stringMatching(/removed its signature/),
  ]);
  expect(await call("")).toEqual([401, expect.stringMatching(/^Not an ID token/)]);
});

test("the example of a seed file is valid", async () => {
  const { work, run } = withExample("emulator.json", example("json"), []);
  const { exitCode, stdout } = await run(["emulator", "seed", "hello/../emulator.json", "--dry-run"], { cwd: work });
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining("service hello from hello\n") });
});

testNeeding("pytest", "the example for pytest passes", async ([python = ""]) => {
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

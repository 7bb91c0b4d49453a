import { execFile } from "node:child_process";
import { mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, expectTypeOf, test } from "vitest";
import { startEmulator } from "../src/library/emulator.ts";
import { createFetch, diagnose, fetchIdToken, verifyIdToken, type CliError, type Diagnosis, type VerifiedClaims } from "../src/index.ts";
import { temporaryDirectory } from "./helpers/api-server.ts";
import { bundleFile } from "./helpers/bundle.ts";
import { verifiedClaims } from "./helpers/caller.ts";
import { openIdentity, serveIdentity } from "./helpers/identity.ts";
import { folder } from "./helpers/command-line.ts";
import { HELLO, tinyService } from "./helpers/emulator.ts";
import { EMAIL, keyFields, writeKeyFile } from "./helpers/key-file.ts";

const emulator = await startEmulator({ project: "my-project", engine: "process" });
afterAll(() => emulator.close());

const root = fileURLToPath(new URL("..", import.meta.url));

/** Runs a module that uses the library in another process, because the library reads the process's environment. */
async function useLibrary(code: string, env: Readonly<Record<string, string | undefined>> = {}): Promise<string> {
  const directory = temporaryDirectory();
  await bundleFile(join(root, "src/index.ts"), join(directory, "library.mjs"));
  writeFileSync(
    join(directory, "user.mjs"),
    `import { createFetch, diagnose, fetchIdToken, verifyIdToken, CliError } from "./library.mjs";\n${code}`,
  );
  const { port } = await serveIdentity(await openIdentity({ live: true }));
  const { stdout } = await promisify(execFile)(process.execPath, [join(directory, "user.mjs")], {
    env: { CLOUDRUN_OAUTH_EMULATOR: `http://127.0.0.1:${port}`, ...env },
    timeout: 20_000,
  });
  return stdout;
}

test("fetchIdToken accepts a key file's path or its content", async () => {
  for (const credentials of [writeKeyFile(), keyFields()]) {
    const token = await useLibrary(
      `process.stdout.write(await fetchIdToken({ credentials: ${JSON.stringify(credentials)}, audience: "https://a.run.app" }));`,
    );
    expect(verifiedClaims(`Bearer ${token}`)).toMatchObject({ aud: "https://a.run.app", email: EMAIL });
  }
});

test("fetchIdToken finds the key file that GOOGLE_APPLICATION_CREDENTIALS names", async () => {
  const token = await useLibrary(`process.stdout.write(await fetchIdToken({ audience: "https://a.run.app" }));`, {
    GOOGLE_APPLICATION_CREDENTIALS: writeKeyFile(),
  });
  expect(verifiedClaims(`Bearer ${token}`)).toMatchObject({ email: EMAIL });
});

test("fetchIdToken throws a CliError with a code", async () => {
  const code = `
    for (const options of [{}, { credentials: {} }, { credentials: "/none.json" }]) {
      const error = await fetchIdToken({ ...options, audience: "https://a.run.app" }).catch((reason) => reason);
      console.log(error instanceof CliError, error.code, error.message);
    }`;
  expect(await useLibrary(code)).toBe(`true CREDENTIALS_MISSING No credentials found.
true CREDENTIALS_INVALID Credentials object has no "type": expected "service_account".
true CREDENTIALS_MISSING Key file not found: /none.json
`);
});

test("createFetch finds a service by its name and calls it, and diagnose explains a refusal without the token", async () => {
  const { name, url } = await emulator.deploy(folder(tinyService(HELLO)), { name: "hello" });
  const credentials = await emulator.createKey("first-caller");
  const code = `
    const hello = createFetch({ service: "hello", audience: ${JSON.stringify(url)} });
    const [one, two] = await Promise.all([hello("/"), hello(new Request(${JSON.stringify(url)}))]);
    console.log(one.status, two.status, one.url, (await diagnose(one))?.message);`;
  const env = { ...emulator.env, CREDS: credentials };
  const refusal = 'first-caller@my-project.iam.gserviceaccount.com doesn\'t have permission to invoke "hello" (roles/run.invoker).';
  expect(await useLibrary(code, env)).toBe(`403 403 ${url}/ ${refusal}\n`);
  await emulator.grant(name, "first-caller@my-project.iam.gserviceaccount.com");
  expect(await useLibrary(code, env)).toBe(`200 200 ${url}/ undefined\n`);
});

test("createFetch retries after a failure, and says why a service isn't found", async () => {
  const code = `
    const other = createFetch({ service: "none" });
    for (const region of ["us-central1", "nowhere"]) {
      process.env.GOOGLE_CLOUD_REGION = region;
      const { code, message } = await other("/").catch((reason) => reason);
      console.log(code, message);
    }`;
  expect(await useLibrary(code, emulator.env)).toMatch(/^NOT_FOUND .*none.*\nSETTINGS_INVALID Invalid region "nowhere"/);
});

test("createFetch rejects invalid options immediately", () => {
  for (const options of [
    {},
    { url: "https://a.run.app", service: "hello" },
    { url: "http://a.run.app" },
    { url: "hello" },
    { url: "https://me:you@a.run.app" },
  ])
    expect(() => createFetch(options as { url: string })).toThrow(expect.objectContaining({ name: "CliError", code: "USAGE" }));
});

test("verifyIdToken uses the emulator's keys if an emulator is set, and drops them if it isn't anymore", async () => {
  const credentials = await emulator.createKey("second-caller");
  const token = await emulator.fetchIdToken({ credentials, audience: "https://a.run.app" });
  const code = `
    const verify = () => verifyIdToken(${JSON.stringify(token)}, { audience: "https://a.run.app" }).then(({ email }) => email, ({ code }) => code);
    console.log(await verify());
    process.env.CLOUDRUN_OAUTH_EMULATOR = "http://127.0.0.1:1";
    console.log(await verify());`;
  expect(await useLibrary(code, emulator.env)).toBe("second-caller@my-project.iam.gserviceaccount.com\nEMULATOR_NOT_RUNNING\n");
});

test("the types match the values", () => {
  expectTypeOf(createFetch).returns.toEqualTypeOf<typeof fetch>();
  expectTypeOf(createFetch).toBeCallableWith({ url: new URL("https://a.run.app"), credentials: { type: "service_account" } });
  expectTypeOf(createFetch).toBeCallableWith({ service: "hello", region: "us-central1" });
  // @ts-expect-error -- neither a URL nor a service
  expectTypeOf(createFetch).toBeCallableWith({});
  // @ts-expect-error -- both
  expectTypeOf(createFetch).toBeCallableWith({ url: "https://a.run.app", service: "hello" });
  expectTypeOf(fetchIdToken).returns.resolves.toBeString();
  expectTypeOf(verifyIdToken).returns.resolves.toEqualTypeOf<VerifiedClaims>();
  expectTypeOf<VerifiedClaims["sub"]>().toBeString();
  expectTypeOf<VerifiedClaims["email"]>().toEqualTypeOf<string | undefined>();
  // @ts-expect-error -- no audience
  expectTypeOf(verifyIdToken).toBeCallableWith("token", {});
  expectTypeOf(diagnose).returns.resolves.toEqualTypeOf<Diagnosis | undefined>();
  expectTypeOf(diagnose).toBeCallableWith(new Response());
  expectTypeOf(diagnose).toBeCallableWith({ url: "https://a.run.app", status: 403, headers: {}, body: "" }, { token: "token" });
  expectTypeOf<CliError["hint"]>().toEqualTypeOf<string | undefined>();
});

/** Runs node in the package's folder, where it can import the package by its own name. */
async function runNode(...argv: readonly string[]) {
  return promisify(execFile)(process.execPath, argv, { cwd: root, env: { ...process.env, NODE_NO_WARNINGS: "1" } });
}

const NAMES = "CliError createFetch diagnose fetchIdToken verifyIdToken";

test("import and require get the same exports", async () => {
  const print = "console.log(Object.keys(library).sort().join(' '))";
  const imported = await runNode("--input-type=module", "-e", `import * as library from "cloudrun-oauth"; ${print}`);
  const required = await runNode("--input-type=commonjs", "-e", `const library = require("cloudrun-oauth"); ${print}`);
  expect([imported.stdout, required.stdout]).toEqual([`${NAMES}\n`, `${NAMES}\n`]);
});

test("an error of the emulator is a CliError of the library", async () => {
  const code = `
    import { CliError } from "cloudrun-oauth";
    import { startEmulator } from "cloudrun-oauth/emulator";
    const emulator = await startEmulator({ engine: "process" });
    console.log(await emulator.addFault({ match: "" }).catch((error) => error instanceof CliError));
    await emulator.close();`;
  expect((await runNode("--input-type=module", "-e", code)).stdout).toBe("true\n");
});

test("importing the package loads a few small files and no dependencies", async () => {
  const hooks = `import { writeSync } from "node:fs"; export const load = (url, context, next) => { if (url.startsWith("file:")) writeSync(1, url + "\\n"); return next(url, context); }`;
  const asUrl = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;
  const register = `import { register } from "node:module"; register(${JSON.stringify(asUrl(hooks))});`;
  const { stdout } = await runNode("--import", asUrl(register), "--input-type=module", "-e", 'import "cloudrun-oauth"');
  const files = stdout
    .trim()
    .split("\n")
    .map((url) => fileURLToPath(url));
  expect(files).toContain(join(root, "dist/index.js"));
  expect(files.filter((file) => !file.startsWith(join(root, "dist/")))).toEqual([]);
  // Together about a hundredth of google-auth-library, commander and the like.
  expect(files.length).toBeLessThan(30);
  expect(files.reduce((sum, file) => sum + statSync(file).size, 0)).toBeLessThan(150_000);
});

test.for(["mts", "cts"])("the package's declarations are complete for a .%s file", async (extension) => {
  const work = temporaryDirectory();
  mkdirSync(join(work, "node_modules/@types"), { recursive: true });
  for (const [name, target] of [
    ["cloudrun-oauth", root],
    ["@types/node", join(root, "node_modules/@types/node")],
    ["undici-types", join(root, "node_modules/undici-types")],
  ] as const)
    symlinkSync(target, join(work, "node_modules", name));
  const code = `
    import { CliError, createFetch, type ErrorCode, type TokenFault } from "cloudrun-oauth";
    import { startEmulator } from "cloudrun-oauth/emulator";
    const call: typeof fetch = createFetch({ service: "hello" });
    export const code = (error: CliError): ErrorCode => error.code;
    export const fault = "EXPIRED" satisfies TokenFault;
    // @ts-expect-error -- no such code
    export const other: ErrorCode = "NONE";
    export const done = [call("/").then(({ status }) => status.toFixed()), startEmulator().then(({ close }) => close())];`;
  writeFileSync(join(work, `user.${extension}`), code);
  const flags = ["--noEmit", "--strict", "--target", "es2023", "--module", "nodenext", "--types", "node", "--preserveSymlinks"];
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, ...flags, `user.${extension}`], { cwd: work }).catch(
    (error: { stdout: string }) => error,
  );
  expect(stdout).toBe("");
});

import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildSync } from "esbuild";
import { expect, test } from "vitest";
import { temporaryDirectory } from "./helpers/api-server.ts";
import { verifiedClaims } from "./helpers/caller.ts";
import { openIdentity, serveIdentity } from "./helpers/identity.ts";
import { EMAIL, keyFields, writeKeyFile } from "./helpers/key-file.ts";

/** Runs a module that uses the library in a process of its own, since the library reads the process's environment. */
async function useLibrary(code: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const directory = temporaryDirectory();
  buildSync({ entryPoints: ["src/index.ts"], bundle: true, platform: "node", format: "esm", outfile: join(directory, "library.mjs") });
  writeFileSync(join(directory, "user.mjs"), `import { fetchIdToken, CliError } from "./library.mjs";\n${code}`);
  const { port } = await serveIdentity(await openIdentity({ live: true }));
  const { stdout } = await promisify(execFile)(process.execPath, [join(directory, "user.mjs")], {
    env: { CLOUDRUN_OAUTH_EMULATOR: `http://127.0.0.1:${port}`, ...env },
    timeout: 20_000,
  });
  return stdout;
}

test("fetchIdToken takes a key file's path, and what a key file holds", async () => {
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
  expect(await useLibrary(code)).toBe(`true CREDENTIALS_MISSING No credentials were found.
true CREDENTIALS_INVALID The credentials object has no "type", which is "service_account" in a service account's key file.
true CREDENTIALS_MISSING There is no key file /none.json.
`);
});

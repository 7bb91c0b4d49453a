import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readCredentialObject } from "../../src/auth/credential-file.ts";
import { temporaryDirectory } from "../helpers/api-server.ts";
import { folder, runCli } from "../helpers/command-line.ts";
import { impersonationUrl } from "../helpers/credential-world.ts";
import { holdsKey, keyFields, PEM, writeKeyFile } from "../helpers/key-file.ts";

// Generated, so that no part of them is in a sentence by chance.
const SECRETS = { client_secret: "Zq9-Zq8-Zq7-Zq6-Zq5", refresh_token: "1//0Xw9-Xw8-Xw7-Xw6-Xw5-Xw4", header: "Kj9.Kj8.Kj7.Kj6" };
const login = { type: "authorized_user", client_id: "c.apps.googleusercontent.com", ...SECRETS, header: undefined };
const federation = {
  type: "external_account",
  audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
  subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
  token_url: "https://sts.googleapis.com/v1/token",
  service_account_impersonation_url: impersonationUrl("a@b.iam.gserviceaccount.com"),
  credential_source: {
    url: "http://127.0.0.1:1/token",
    headers: { Authorization: SECRETS.header },
    format: { type: "json", subject_token_field_name: "token" },
  },
};
const impersonation = {
  type: "impersonated_service_account",
  service_account_impersonation_url: impersonationUrl("a@b.iam.gserviceaccount.com"),
  delegates: ["c@d.iam.gserviceaccount.com"],
  source_credentials: keyFields(),
};
const KINDS: readonly Record<string, unknown>[] = [keyFields(), login, federation, impersonation];
const kind = fc.constantFrom(...KINDS);

/** Changes one field of an object or of a nested object. */
function changed(value: Record<string, unknown>, pick: number, other: unknown): Record<string, unknown> {
  const names = Object.keys(value);
  const name = names[pick % names.length] as string;
  const inner = value[name];
  const isDeep = typeof inner === "object" && inner !== null && !Array.isArray(inner) && pick % 3 > 0;
  return { ...value, [name]: isDeep ? changed(inner as Record<string, unknown>, pick >> 2, other) : other };
}

const text = kind.map((value) => JSON.stringify(value, null, 2));
const cut = fc
  .tuple(text, fc.double({ min: 0, max: 0.99, noNaN: true }))
  .map(([whole, part]) => whole.slice(0, Math.floor(whole.length * part)));
const reencoded = fc
  .tuple(text, fc.constantFrom("utf16le", "base64", "hex", "latin1" as const))
  .map(([whole, encoding]) =>
    encoding === "utf16le"
      ? Buffer.from(`\uFEFF${whole}`, "utf16le")
      : encoding === "latin1"
        ? Buffer.from(`ÿ${whole}`, "latin1")
        : Buffer.from(whole).toString(encoding),
  );
const otherType = fc.tuple(kind, fc.nat(), fc.jsonValue()).map(([value, pick, other]) => JSON.stringify(changed(value, pick, other)));
const swapped = fc
  .tuple(kind, fc.nat(), kind, fc.nat())
  .map(([value, pick, from, at]) => JSON.stringify(changed(value, pick, Object.values(from)[at % Object.keys(from).length])));
const wrapped = kind.map((value) => JSON.stringify([value]));

/** Without a network: valid credentials fail at a port where nothing listens. */
const NOWHERE = { CLOUDRUN_OAUTH_EMULATOR: "http://127.0.0.1:1", NO_PROXY: "*" };

/** The faults of a run's error message for broken credentials. */
function faultsOf({ exitCode, stdout, stderr }: Awaited<ReturnType<typeof runCli>>, path: string): string[] {
  const said = stderr.replaceAll(path, "");
  const parts = Object.values(SECRETS).flatMap((secret) => secret.split(/[-./]+/).filter((part) => part.length > 2));
  const faults: Readonly<Record<string, boolean>> = {
    "the exit code is neither 2 nor 3": exitCode !== 2 && exitCode !== 3,
    "something is on stdout": stdout !== "",
    "there is no sentence": !/^Error: \S.*\. \[[A-Z_]+\]\n/.test(said),
    "it looks like a bug": /\n\s+at |BUG|undefined|\[object/.test(said),
    "the key is in it": holdsKey(said.replaceAll(/https?:\S+|gcloud .*|ACCOUNT|NAME@PROJECT\S*/g, "")),
    "a secret is in it": parts.some((part) => said.includes(part)),
  };
  return Object.keys(faults).flatMap((fault) => (faults[fault] ? [`${fault}: ${exitCode} ${stdout}${stderr}`] : []));
}

test("each of 200 broken credential files is reported in one sentence that never quotes its content", { timeout: 120_000 }, async () => {
  const home = folder();
  await fc.assert(
    fc.asyncProperty(fc.oneof(cut, reencoded, otherType, swapped, wrapped), fc.boolean(), async (content, isInline) => {
      const inline = isInline && typeof content === "string" && content.trim() !== "" && !content.includes("\0");
      const path = inline ? "CREDS" : writeKeyFile(content);
      // --dry-run needs no network, and by then a broken file is detected.
      const run = await runCli(["token", "https://a.example.com", "--dry-run", ...(inline ? [] : ["--credentials", path])], {
        cwd: home,
        env: { HOME: home, ...NOWHERE, ...(inline && { CREDS: content }) },
      });
      // The change can have left it valid.
      expect(run.exitCode === 0 ? run.stderr : faultsOf(run, path).join()).toBe("");
    }),
    { numRuns: 200 },
  );
});

test("a secret in a displayed field is never shown", { timeout: 120_000 }, async () => {
  const home = folder();
  await fc.assert(
    fc.asyncProperty(
      kind,
      fc.nat(),
      fc.constantFrom(PEM, SECRETS.refresh_token, `eyJhbGciOiJub25lIn0.eyJhIjoxfQ.${SECRETS.header}`),
      async (value, pick, secret) => {
        const path = writeKeyFile(JSON.stringify(changed(value, pick, secret)));
        const { stdout, stderr } = await runCli(["token", "https://a.example.com", "--verbose", "--timeout", "1s", "--credentials", path], {
          cwd: home,
          env: { HOME: home, ...NOWHERE },
        });
        // The code depends on how far the run gets without a network.
        expect(faultsOf({ exitCode: 3, stdout, stderr: stderr.slice(stderr.indexOf("Error: ")) }, path)).toEqual([]);
      },
    ),
    { numRuns: 60 },
  );
});

test("a program can pass an object of any credential type", () => {
  const exchange = { env: {}, send: () => expect.unreachable() };
  const described = KINDS.map((value) => readCredentialObject(value, exchange).description);
  expect(described).toEqual([
    expect.stringContaining("from the credentials option, key"),
    expect.stringContaining("a user login, from the credentials option"),
    expect.stringContaining("serviceAccount:a@b.iam.gserviceaccount.com, impersonated by a workload of pool p, provider q"),
    expect.stringContaining("serviceAccount:a@b.iam.gserviceaccount.com, impersonated by serviceAccount:caller@"),
  ]);
});

test("a directory, a pipe or an oversized file is rejected immediately", async () => {
  const home = temporaryDirectory();
  const huge = join(home, "huge.json");
  writeFileSync(huge, "{");
  truncateSync(huge, 100 * 1024 * 1024);
  const pipe = join(home, "pipe");
  execFileSync("mkfifo", [pipe]);
  mkdirSync(join(home, "folder"));
  for (const path of [huge, pipe, join(home, "folder"), "/dev/zero"]) {
    expect(faultsOf(await runCli(["token", "https://a.example.com", "--credentials", path], { cwd: home, env: NOWHERE }), path)).toEqual(
      [],
    );
  }
});

test.skipIf(process.getuid?.() === 0)("an unreadable file is rejected (skipped for root, who can read everything)", async () => {
  const path = writeKeyFile(login);
  chmodSync(path, 0);
  expect(faultsOf(await runCli(["token", "https://a.example.com", "--credentials", path], { env: NOWHERE }), path)).toEqual([]);
});

test.for([
  ["minified", (value: string) => value],
  ["with line ends", (value: string) => JSON.stringify(JSON.parse(value), null, 2)],
  ["in base64", (value: string) => Buffer.from(value).toString("base64")],
  ["in base64 with line ends", (value: string) => Buffer.from(value).toString("base64").replace(/.{76}/g, "$&\n")],
  ["in base64 for URLs", (value: string) => Buffer.from(value).toString("base64url")],
  ["after a byte order mark", (value: string) => `\uFEFF${value}`],
] as const)("content %s is accepted in every variable", async ([, encode]) => {
  for (const name of [
    "CLOUDRUN_OAUTH_CREDENTIALS_JSON",
    "CLOUDRUN_OAUTH_CREDENTIALS",
    "CREDS",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CREDENTIALS",
  ]) {
    const { exitCode, stdout, stderr } = await runCli(["token", "https://a.example.com", "--dry-run", "--verbose"], {
      env: { ...NOWHERE, [name]: encode(JSON.stringify(keyFields())) },
    });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`, from ${name}, `) });
    expect(JSON.parse(stdout)).toMatchObject({ url: "https://oauth2.googleapis.com/token" });
  }
});

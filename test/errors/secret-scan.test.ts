import { createPrivateKey } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../helpers/api-server.ts";
import { newUser } from "../helpers/bin.ts";
import { openCaller, serveService } from "../helpers/caller.ts";
import { startEmulator } from "../helpers/emulator.ts";
import { assertion, forge } from "../helpers/identity.ts";
import { EMAIL, keyFields, PEM } from "../helpers/key-file.ts";
import { assertNoSecretsIn, findSecrets, tokensAskedBy } from "../helpers/secret-scan.ts";

const KEY_FILE = JSON.stringify(keyFields(), null, 2);
const DER = createPrivateKey(PEM).export({ type: "pkcs8", format: "der" }).toString("base64");
const ACCESS_TOKEN = `ya29.c.${"Ab3_-".repeat(8)}`;

test.for([
  ["a key file", KEY_FILE, "a private key"],
  ["a PEM of another kind", PEM.replaceAll("PRIVATE", "EC PRIVATE"), "a private key"],
  ["the beginning of a PEM", PEM.slice(0, 40), "a private key"],
  ["a key file in base64", Buffer.from(KEY_FILE).toString("base64"), "a private key in base64"],
  ["the same, a letter further", Buffer.from(` ${KEY_FILE}`).toString("base64"), "a private key in base64"],
  ["the same, two letters further", Buffer.from(`  ${KEY_FILE}`).toString("base64"), "a private key in base64"],
  ["the bytes of a key", DER, "a private key's bytes"],
  ["an assertion", assertion(EMAIL), "a JWT"],
  ["an access token", ACCESS_TOKEN, "an access token"],
  ["a refresh token", `1//${"0aB-".repeat(8)}`, "a refresh token"],
  [
    "a refresh token after a certificate",
    `-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n1//${"0aB-".repeat(8)}`,
    "a refresh token",
  ],
] as const)("%s is found in a text, and not repeated", ([, secret, kind]) => {
  const found = findSecrets(`before ${secret} after`);
  expect(found).toContainEqual(expect.stringMatching(new RegExp(`^${kind} after `)));
  expect(found.join()).not.toContain(secret.slice(-30));
  expect(found.filter((each) => each.length > 120)).toEqual([]);
});

test.for([
  ["a token's header and claims", assertion(EMAIL).split(".").slice(0, 2).join(".")],
  ["a forwarded token", `${assertion(EMAIL).split(".").slice(0, 2).join(".")}.SIGNATURE_REMOVED_BY_GOOGLE`],
  ["a certificate", "-----BEGIN CERTIFICATE-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"],
  ["a public key", "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"],
  ["a URL with two slashes", "https://hello-abc123-uc.a.run.app//long-enough-to-be-a-token-of-any-kind"],
  ["a certificate that has such letters", `-----BEGIN CERTIFICATE-----\n1//0${"aB3".repeat(20)}\n-----END CERTIFICATE-----`],
  ["the same in JSON", JSON.stringify({ x509: `-----BEGIN CERTIFICATE-----\n1//0${"aB3".repeat(20)}\n-----END CERTIFICATE-----` })],
  ["a signature that has such letters", `"signedBlob": "CYZhiPjNptevASyZqi/1//0${"aB3".repeat(20)}=="`],
  ["what stands for one", "Bearer [token] and [private key]"],
] as const)("%s isn't a refusal", ([, text]) => {
  expect(findSecrets(text)).toEqual([]);
});

test("tokens are allowed in the output of commands that print one, and keys nowhere", () => {
  expect(findSecrets(ACCESS_TOKEN, "the command is token")).toEqual([]);
  expect(findSecrets(PEM, "the command is token")).not.toEqual([]);
  const asked = [["token"], ["--json", "token", "my-audience"], ["token", "--no-cache"]].map(tokensAskedBy);
  const notAsked = [["token", "revoke"], ["token", "--dry-run"], ["invoke", "token"], ["inspect"], []].map(tokensAskedBy);
  expect([asked, notAsked]).toEqual([asked.map(() => "the command is token"), notAsked.map(() => false)]);
});

test("every file of a folder is searched, except in key folders", () => {
  const folder = temporaryDirectory();
  const file = (path: string, text: string, mode = 0o600): void => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
    chmodSync(join(folder, path), mode);
  };
  const cached = `cache/tokens/${"0".repeat(64)}.json`;
  file("keys/issuer.pem", PEM);
  file(cached, JSON.stringify({ token: assertion(EMAIL) }));
  expect(() => assertNoSecretsIn(folder, { keys: ["keys"] })).not.toThrow();
  expect(() => assertNoSecretsIn(folder)).toThrow("keys/issuer.pem: a private key after");
  file("logs/a/b.jsonl", `{"text": "${assertion(EMAIL)}"}`);
  expect(() => assertNoSecretsIn(folder, { keys: ["keys"] })).toThrow("logs/a/b.jsonl: a JWT after");
  file("logs/a/b.jsonl", "");
  file(cached, "{}", 0o644);
  expect(() => assertNoSecretsIn(folder, { keys: ["keys"] })).toThrow("a token that others may read");
  file(cached, KEY_FILE);
  expect(() => assertNoSecretsIn(folder, { keys: ["keys"] })).toThrow("a private key after");
});

test("a command that prints a token which it was not asked for fails its test, on stdout, on stderr and in GitHub's files", async () => {
  const { run, home } = await openCaller();
  const echo = await serveService((request, response) => response.end(request.headers.authorization));
  await expect(run(["invoke", "--url", echo])).rejects.toThrow("stdout: a JWT after");
  await expect(run(["invoke", "--url", echo], { tokensAskedFor: "the service says which it got" })).resolves.toMatchObject({ exitCode: 0 });
  const secret = forge({ alg: "none" }, { sub: "me" }, () => Buffer.alloc(256, 1));
  await expect(run(["invoke", "--url", echo, "--raw", "-H", `Authorization: ${secret}`])).rejects.toThrow("stdout: a JWT after");
  writeFileSync(join(home, "summary"), KEY_FILE);
  await expect(run(["config", "list"], { env: { GITHUB_STEP_SUMMARY: join(home, "summary") } })).rejects.toThrow(
    "GITHUB_STEP_SUMMARY: a private key",
  );
});

test("a process of a user's that prints a token, and a file of theirs that holds a key, fail the test", async () => {
  for (const [plant, found] of [
    ["stdout", /stdout of config get url: a JWT after/],
    ["file", /work\/notes: a private key after/],
  ] as const) {
    const cleanUps: (() => Promise<void> | void)[] = [];
    const user = newUser({ atEnd: (cleanUp) => void cleanUps.push(cleanUp) });
    const url = plant === "stdout" ? `https://example.com/${assertion(EMAIL)}` : "https://example.com";
    expect((await user.run(["config", "get", "url"], { env: { CLOUD_RUN_SERVICE_URL: url } })).stdout).toBe(`${url}\n`);
    if (plant === "file") writeFileSync(join(user.work, "notes"), PEM);
    await expect(Promise.all(cleanUps.map((cleanUp) => cleanUp()))).rejects.toThrow(found);
    expect(existsSync(user.folder)).toBe(false);
  }
});

test("an emulator that leaves a token in its log or its state fails the test", async () => {
  for (const [plant, found] of [
    ["log", /^.*\nlog: a JWT after/],
    ["state", /logs\/planted: a JWT after/],
  ] as const) {
    const cleanUps: (() => Promise<void> | void)[] = [];
    const { directory, log, idToken } = await startEmulator((cleanUp) => void cleanUps.push(cleanUp));
    const token = await idToken("https://example.com");
    if (plant === "log") log.push(token);
    else writeFileSync(join(directory, "logs", "planted"), token);
    await expect(Promise.all(cleanUps.map((cleanUp) => cleanUp()))).rejects.toThrow(found);
    expect(existsSync(directory)).toBe(false);
  }
});

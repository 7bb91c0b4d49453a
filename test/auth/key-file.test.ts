import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createAssertion } from "../../src/auth/assertion.ts";
import { readKeyFile } from "../../src/auth/key-file.ts";
import { CliError } from "../../src/errors/cli-error.ts";
import { isSignedBy, parseJwt } from "../../src/emulator/oauth2/jwt.ts";
import { temporaryDirectory } from "../helpers/api-server.ts";
import { CALLER_PAIR } from "../helpers/identity.ts";
import { EMAIL, holdsKey, keyFields, PEM, writeKeyFile } from "../helpers/key-file.ts";

const JSON_TEXT = JSON.stringify(keyFields(), null, 2);
const [HEAD = "", ...LINES] = PEM.trimEnd().split("\n");
const EC = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ENCRYPTED = CALLER_PAIR.privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" }).toString();
const PUBLIC = CALLER_PAIR.publicKey.export({ type: "spki", format: "pem" }).toString();

async function failure(path: string): Promise<CliError> {
  const error = await readKeyFile(path).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CliError);
  return error as CliError;
}

/** Everything of an error that a user or a log can see. */
function visible({ message, hint = "", details, stack = "", cause }: CliError): string {
  return [message, hint, JSON.stringify(details), stack, inspect(cause)].join("\n");
}

test("a valid key file is read without exposing the key", async () => {
  const key = await readKeyFile(writeKeyFile());
  expect({ ...key, private_key: key.private_key.asymmetricKeyType }).toEqual({
    client_email: EMAIL,
    private_key_id: CALLER_PAIR.keyId,
    private_key: "rsa",
    token_uri: "https://oauth2.googleapis.com/token",
  });
  expect(holdsKey(inspect(key) + JSON.stringify(key))).toBe(false);
});

test.for([
  ["a byte order mark", `\uFEFF${JSON_TEXT}`],
  ["Windows line ends", JSON_TEXT.replaceAll("\n", "\r\n")],
  ["Windows line ends in the key", JSON.stringify(keyFields({ private_key: PEM.replaceAll("\n", "\r\n") }))],
  ["a PKCS #1 key", JSON.stringify(keyFields({ private_key: CALLER_PAIR.privateKey.export({ type: "pkcs1", format: "pem" }) }))],
  ["no line end after the key", JSON.stringify(keyFields({ private_key: PEM.trimEnd() }))],
] as const)("a key file with %s is read", async ([, text]) => {
  expect((await readKeyFile(writeKeyFile(text))).client_email).toBe(EMAIL);
});

const LOGIN = "not a service account key.";
const withPrivateKey = (private_key: unknown) => keyFields({ private_key });
const PRIVATE_KEY = "The private_key in key file PATH";

test.for<[content: string, file: string | Buffer | Record<string, unknown>, fault: string]>([
  ["an empty file", "", "is empty."],
  ["blanks", " \n", "isn't valid JSON."],
  ["a truncated file", JSON_TEXT.slice(0, 900), "isn't valid JSON (truncated)."],
  ["a file without the last brace", JSON_TEXT.slice(0, -2), "isn't valid JSON (truncated)."],
  ["a trailing comma", JSON_TEXT.replace(/\n}$/, ",\n}"), "isn't valid JSON."],
  ["line breaks within a string", JSON_TEXT.replaceAll("\\n", "\n"), "isn't valid JSON."],
  ["two files in one", JSON_TEXT + JSON_TEXT, "isn't valid JSON."],
  ["a PEM key", PEM, "is a PEM key, not a JSON key file."],
  ["base64", Buffer.from(JSON_TEXT).toString("base64"), "is base64-encoded."],
  ["UTF-16", Buffer.from(`\uFEFF${JSON_TEXT}`, "utf16le"), "is UTF-16 text."],
  ["UTF-16 without a byte order mark", Buffer.from(JSON_TEXT, "utf16le"), "is UTF-16 text."],
  ["big-endian UTF-16", Buffer.from(`\uFEFF${JSON_TEXT}`, "utf16le").swap16(), "is UTF-16 text."],
  ["a P12 file", Buffer.from("3082096b0201033082093106092a", "hex"), "isn't a JSON file (it might be a P12 key)."],
  ["more than 1 MiB", JSON_TEXT.padEnd(1024 * 1024 + 1), "is larger than 1 MiB, so it isn't a key file."],
  ["null", "null", "isn't a JSON object."],
  ["an array", JSON.stringify([keyFields()]), "isn't a JSON object."],
  ["a string", JSON.stringify(JSON_TEXT), "isn't a JSON object."],
  ["a user login", { type: "authorized_user" }, `contains a user login, ${LOGIN}`],
  ["federation", { type: "external_account" }, `contains a workload identity federation configuration, ${LOGIN}`],
  [
    "workforce federation",
    { type: "external_account_authorized_user" },
    `contains a workforce identity federation configuration, ${LOGIN}`,
  ],
  ["impersonation", { type: "impersonated_service_account" }, `contains an impersonation configuration, ${LOGIN}`],
  ["a desktop client's secret", { installed: { client_id: "x" } }, `contains an OAuth client secret, ${LOGIN}`],
  ["a web client's secret", { web: { client_id: "x" } }, `contains an OAuth client secret, ${LOGIN}`],
  ["another type", { type: "api_key" }, 'has type "api_key": expected "service_account".'],
  ["the key as the type", keyFields({ type: PEM }), 'has another type: expected "service_account".'],
  ["no type", keyFields({ type: undefined }), 'has no "type": expected "service_account".'],
  ["no client_email", keyFields({ client_email: undefined }), 'has no "client_email".'],
  ["no private_key", withPrivateKey(undefined), 'has no "private_key".'],
  ["no private_key_id", keyFields({ private_key_id: undefined }), 'has no "private_key_id".'],
  ["no token_uri", keyFields({ token_uri: undefined }), 'has no "token_uri".'],
  ["an empty private_key", withPrivateKey(""), 'has an empty "private_key".'],
  ["a list as private_key", withPrivateKey(PEM.split("\n")), 'has an invalid "private_key".'],
  ["a client_email with a line break", keyFields({ client_email: "a@b\r\nX: y" }), "has an invalid client_email."],
  ["a token_uri without a scheme", keyFields({ token_uri: "oauth2.googleapis.com/token" }), "has an invalid token_uri."],
  ["double-escaped line breaks", withPrivateKey(PEM.replaceAll("\n", "\\n")), `${PRIVATE_KEY} has double-escaped line breaks.`],
  ["a key without line breaks", withPrivateKey(PEM.replaceAll("\n", "")), `${PRIVATE_KEY} has no line breaks.`],
  ["spaces as line breaks", withPrivateKey(PEM.replaceAll("\n", " ")), `${PRIVATE_KEY} has no line breaks.`],
  ["a key without BEGIN", withPrivateKey(LINES.join("\n")), `${PRIVATE_KEY} isn't in PEM format (no BEGIN line).`],
  ["a key without END", withPrivateKey([HEAD, ...LINES.slice(0, 10)].join("\n")), `${PRIVATE_KEY} is truncated (no END line).`],
  [
    "a key without a line",
    withPrivateKey([HEAD, ...LINES.toSpliced(9, 1)].join("\n")),
    `${PRIVATE_KEY} is corrupted and can't be decoded.`,
  ],
  ["a key of dots", withPrivateKey(`${HEAD}\n...\n-----END PRIVATE KEY-----\n`), `${PRIVATE_KEY} is corrupted and can't be decoded.`],
  ["a public key", withPrivateKey(PUBLIC), `${PRIVATE_KEY} is a public key.`],
  ["an encrypted key", withPrivateKey(ENCRYPTED), `${PRIVATE_KEY} is protected by a passphrase, which isn't supported.`],
  ["an EC key", withPrivateKey(EC.privateKey.export({ type: "pkcs8", format: "pem" })), `${PRIVATE_KEY} isn't an RSA key.`],
  ["an EC key in SEC 1 format", withPrivateKey(EC.privateKey.export({ type: "sec1", format: "pem" })), `${PRIVATE_KEY} isn't an RSA key.`],
])("%s is CREDENTIALS_INVALID, in one sentence without the key", async ([, content, fault]) => {
  const path = writeKeyFile(content);
  const error = await failure(path);
  const message = (fault.startsWith("The ") ? fault : `Key file PATH ${fault}`).replace("PATH", path);
  expect(error).toMatchObject({ code: "CREDENTIALS_INVALID", exitCode: 3, message });
  expect(holdsKey(visible(error).replaceAll(path, ""))).toBe(false);
});

test("the error for newlines that are escaped twice says how to fix them", async () => {
  const { hint } = await failure(writeKeyFile(keyFields({ private_key: PEM.replaceAll("\n", "\\n") })));
  expect(hint).toBe("In the file, replace every \\\\n in private_key with \\n.");
});

test("a missing file is CREDENTIALS_MISSING", async () => {
  const folder = temporaryDirectory();
  for (const path of [join(folder, "none.json"), join(writeKeyFile(), "none.json")]) {
    expect(await failure(path)).toMatchObject({ code: "CREDENTIALS_MISSING", exitCode: 3, message: `Key file not found: ${path}` });
  }
});

test("a folder, a pipe and a device are rejected immediately", async () => {
  const folder = temporaryDirectory();
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  mkdirSync(join(folder, "folder"));
  expect((await failure(join(folder, "folder"))).message).toMatch(/ is a folder\.$/);
  for (const path of [pipe, "/dev/zero"]) expect((await failure(path)).message).toMatch(/ is a pipe or a device, not a file\.$/);
});

test.skipIf(process.getuid?.() === 0)("an unreadable file is reported as such (skipped for root, who can read everything)", async () => {
  const path = writeKeyFile();
  chmodSync(path, 0);
  expect(await failure(path)).toMatchObject({ code: "CREDENTIALS_INVALID", message: `Key file ${path} can't be read: permission denied.` });
});

test("a path that is too long is an ordinary error", async () => {
  expect((await failure(`/${"x".repeat(300)}`)).message).toMatch(/ can't be read: the name is too long\.$/);
});

const cut = fc.nat(JSON_TEXT.length - 2).map((at) => JSON_TEXT.slice(0, at));
const flipped = fc.tuple(fc.nat(JSON_TEXT.length - 1), fc.integer({ min: 0, max: 255 })).map(([at, byte]) => {
  const bytes = Buffer.from(JSON_TEXT);
  bytes[at] = byte;
  return bytes;
});
const letterOfKey = fc
  .tuple(fc.integer({ min: HEAD.length + 1, max: PEM.length - 30 }), fc.constantFrom(..."ABCDEFGHIJKLMNOPabcdefgh0123456789+/=\n"))
  .map(([at, letter]) => JSON.stringify(keyFields({ private_key: `${PEM.slice(0, at)}${letter}${PEM.slice(at + 1)}` })));
const otherField = fc
  .tuple(fc.constantFrom("type", "private_key", "private_key_id", "client_email", "token_uri"), fc.jsonValue())
  .map(([name, value]) => JSON.stringify(keyFields({ [name]: value })));
const swapped = fc
  .constantFrom("type", "private_key_id", "client_email", "token_uri")
  .map((name) => JSON.stringify(keyFields({ [name]: PEM, private_key: keyFields()[name] })));

test("a key file with any change either still signs with the right key or is exit code 3, without a byte of the key", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(cut, flipped, letterOfKey, otherField, swapped), async (content) => {
      const path = writeKeyFile(content);
      try {
        const key = await readKeyFile(path);
        const jwt = parseJwt(createAssertion(key, { target_audience: "https://a.run.app" }, 0));
        expect(jwt && isSignedBy(jwt, CALLER_PAIR.publicKey)).toBe(true);
      } catch (error) {
        if (!(error instanceof CliError)) throw error;
        expect(error.exitCode).toBe(3);
        expect(holdsKey(visible(error).replaceAll(path, ""))).toBe(false);
      }
    }),
    { numRuns: 300, interruptAfterTimeLimit: 30_000, markInterruptAsFailure: true },
  );
});

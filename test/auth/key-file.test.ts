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

const BROKEN: readonly (readonly [what: string, content: string | Buffer | Record<string, unknown>, sentence: string])[] = [
  ["an empty file", "", "The key file PATH is empty."],
  ["blanks", " \n", "The key file PATH is not JSON."],
  ["a file cut off", JSON_TEXT.slice(0, 900), "The key file PATH is not JSON: it ends in the middle, as if cut off."],
  ["a file cut off before the last brace", JSON_TEXT.slice(0, -2), "The key file PATH is not JSON: it ends in the middle, as if cut off."],
  ["a comma too many", JSON_TEXT.replace(/\n}$/, ",\n}"), "The key file PATH is not JSON."],
  ["line breaks as they are in a string", JSON_TEXT.replaceAll("\\n", "\n"), "The key file PATH is not JSON."],
  ["two files in one", JSON_TEXT + JSON_TEXT, "The key file PATH is not JSON."],
  ["the key alone", PEM, "The key file PATH is a PEM key alone, without the JSON around it."],
  ["base64", Buffer.from(JSON_TEXT).toString("base64"), "The key file PATH is JSON in base64."],
  ["UTF-16", Buffer.from(`\uFEFF${JSON_TEXT}`, "utf16le"), "The key file PATH is UTF-16 text."],
  ["UTF-16 without a mark", Buffer.from(JSON_TEXT, "utf16le"), "The key file PATH is UTF-16 text."],
  ["UTF-16 the other way round", Buffer.from(`\uFEFF${JSON_TEXT}`, "utf16le").swap16(), "The key file PATH is UTF-16 text."],
  [
    "a P12 file",
    Buffer.from("3082096b0201033082093106092a", "hex"),
    "The key file PATH is no text: a key in the P12 format, or a file of another kind.",
  ],
  ["a file of 1 MiB and a byte", JSON_TEXT.padEnd(1024 * 1024 + 1), "The key file PATH is larger than 1 MiB, which no key file is."],
  ["null", "null", "The key file PATH holds no JSON object."],
  ["an array", JSON.stringify([keyFields()]), "The key file PATH holds no JSON object."],
  ["a string", JSON.stringify(JSON_TEXT), "The key file PATH holds no JSON object."],
  [
    "a person's login",
    { type: "authorized_user" },
    "The key file PATH holds a person's login (gcloud auth application-default login), not a service account's key.",
  ],
  [
    "federation",
    { type: "external_account" },
    "The key file PATH holds workload identity federation's configuration, not a service account's key.",
  ],
  [
    "workforce federation",
    { type: "external_account_authorized_user" },
    "The key file PATH holds workforce identity federation's configuration, not a service account's key.",
  ],
  [
    "impersonation",
    { type: "impersonated_service_account" },
    "The key file PATH holds an impersonation's configuration, not a service account's key.",
  ],
  [
    "a desktop client's secret",
    { installed: { client_id: "x" } },
    "The key file PATH holds an OAuth client's secret, not a service account's key.",
  ],
  ["a web client's secret", { web: { client_id: "x" } }, "The key file PATH holds an OAuth client's secret, not a service account's key."],
  ["another type", { type: "api_key" }, 'The key file PATH is of the type "api_key"; a service account\'s key file is needed.'],
  [
    "the key in place of the type",
    keyFields({ type: PEM }),
    "The key file PATH has another type than service_account; a service account's key file is needed.",
  ],
  [
    "no type",
    keyFields({ type: undefined }),
    'The key file PATH has no "type", which is "service_account" in a service account\'s key file.',
  ],
  ["no client_email", keyFields({ client_email: undefined }), 'The key file PATH has no "client_email".'],
  ["no private_key", keyFields({ private_key: undefined }), 'The key file PATH has no "private_key".'],
  ["no private_key_id", keyFields({ private_key_id: undefined }), 'The key file PATH has no "private_key_id".'],
  ["no token_uri", keyFields({ token_uri: undefined }), 'The key file PATH has no "token_uri".'],
  ["an empty private_key", keyFields({ private_key: "" }), 'The key file PATH has a "private_key" that is empty.'],
  [
    "a private_key that is a list of lines",
    keyFields({ private_key: PEM.split("\n") }),
    'The key file PATH has a "private_key" that is not text.',
  ],
  [
    "a client_email with a line end",
    keyFields({ client_email: "a@b\r\nX: y" }),
    "The key file PATH has a client_email that is no e-mail address.",
  ],
  [
    "a token_uri without a scheme",
    keyFields({ token_uri: "oauth2.googleapis.com/token" }),
    "The key file PATH has a token_uri that is no URL.",
  ],
  [
    "newlines escaped twice",
    keyFields({ private_key: PEM.replaceAll("\n", "\\n") }),
    "The private_key of the key file PATH has its line breaks escaped twice.",
  ],
  ["newlines lost", keyFields({ private_key: PEM.replaceAll("\n", "") }), "The private_key of the key file PATH has lost its line breaks."],
  [
    "newlines made blanks",
    keyFields({ private_key: PEM.replaceAll("\n", " ") }),
    "The private_key of the key file PATH has lost its line breaks.",
  ],
  [
    "a key without BEGIN",
    keyFields({ private_key: LINES.join("\n") }),
    "The private_key of the key file PATH is no PEM: its BEGIN line is missing.",
  ],
  [
    "a key without END",
    keyFields({ private_key: [HEAD, ...LINES.slice(0, 10)].join("\n") }),
    "The private_key of the key file PATH is cut off: its END line is missing.",
  ],
  [
    "a key with a line missing",
    keyFields({ private_key: [HEAD, ...LINES.slice(0, 9), ...LINES.slice(10)].join("\n") }),
    "The private_key of the key file PATH is damaged: it cannot be decoded.",
  ],
  [
    "a key of dots",
    keyFields({ private_key: `${HEAD}\n...\n-----END PRIVATE KEY-----\n` }),
    "The private_key of the key file PATH is damaged: it cannot be decoded.",
  ],
  ["a public key", keyFields({ private_key: PUBLIC }), "The private_key of the key file PATH is a public key."],
  [
    "an encrypted key",
    keyFields({ private_key: ENCRYPTED }),
    "The private_key of the key file PATH is protected by a passphrase, as Google's never are.",
  ],
  [
    "an EC key",
    keyFields({ private_key: EC.privateKey.export({ type: "pkcs8", format: "pem" }) }),
    "The private_key of the key file PATH is a key for ec, where Google's are RSA.",
  ],
  [
    "an EC key of the older form",
    keyFields({ private_key: EC.privateKey.export({ type: "sec1", format: "pem" }) }),
    "The private_key of the key file PATH is an EC key, where Google's are RSA.",
  ],
];

test.for(BROKEN)("%s is CREDENTIALS_INVALID, in one sentence without the key", async ([, content, sentence]) => {
  const path = writeKeyFile(content);
  const error = await failure(path);
  expect(error).toMatchObject({ code: "CREDENTIALS_INVALID", exitCode: 3, message: sentence.replace("PATH", path) });
  expect(holdsKey(visible(error).replaceAll(path, ""))).toBe(false);
});

test("the error for newlines that are escaped twice says how to fix them", async () => {
  const { hint } = await failure(writeKeyFile(keyFields({ private_key: PEM.replaceAll("\n", "\\n") })));
  expect(hint).toBe("In the file, write every \\\\n of private_key as \\n.");
});

test("a missing file is CREDENTIALS_MISSING", async () => {
  const folder = temporaryDirectory();
  for (const path of [join(folder, "none.json"), join(writeKeyFile(), "none.json")]) {
    expect(await failure(path)).toMatchObject({ code: "CREDENTIALS_MISSING", exitCode: 3, message: `There is no key file ${path}.` });
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
  expect(await failure(path)).toMatchObject({
    code: "CREDENTIALS_INVALID",
    message: `The key file ${path} cannot be read: permission is denied.`,
  });
});

test("a path that is too long is an ordinary error", async () => {
  expect((await failure(`/${"x".repeat(300)}`)).message).toMatch(/ cannot be read: the path is too long\.$/);
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

import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** Why a text may hold tokens: somebody has asked for one. Private keys are never asked for. */
export type TokensAskedFor = string | false;

/** The letters of a text in base64, wherever in it they stand, as far as they do not depend on what is around them. */
function inBase64(text: string): string {
  return [0, 1, 2]
    .map((before) =>
      Buffer.from(`${" ".repeat(before)}${text}`)
        .toString("base64")
        .slice(before && 4, -4),
    )
    .join("|");
}

// Its own patterns, and not those of src/errors/redact.ts: what these two leave out would otherwise be left out by both.
const PRIVATE_KEYS: readonly (readonly [string, RegExp])[] = [
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY/g],
  ["a private key in base64", new RegExp(inBase64("BEGIN PRIVATE KEY-"), "g")],
  // RFC 5208, section 5: version 0, rsaEncryption, and an octet string, which a public key does not have there.
  ["a private key's bytes", /IBADANBgkqhkiG9w0BAQEFAASC/g],
];
const TOKENS: readonly (readonly [string, RegExp])[] = [
  ["a JWT", /\beyJ[\w-]{8,}\.[\w-]{8,}\.(?!SIGNATURE_REMOVED_BY_GOOGLE)[\w-]{20,}/g],
  ["an access token", /\bya29\.[\w.-]{20,}/g],
  // Base64 of a certificate or a signature may hold `1//`; a refresh token begins with it, and a 0.
  ["a refresh token", /(?<![\w+/=\\])1\/\/0[\w-]{20,}/g],
];
/** A certificate or a public key, with line ends as they are, or as JSON writes them. */
const PUBLIC = /-----BEGIN (?:CERTIFICATE|PUBLIC KEY)-----(?:[A-Za-z0-9+/=\s]|\\[rn])*/g;

/** What a text holds that it must not: the kind of each secret with the text before it, and nothing of the secret. */
export function findSecrets(text: string, tokensAskedFor: TokensAskedFor = false): string[] {
  const searched = text.replace(PUBLIC, "");
  return [...PRIVATE_KEYS, ...(tokensAskedFor ? [] : TOKENS)].flatMap(([kind, pattern]) =>
    [...searched.matchAll(pattern)].map(({ index }) => `${kind} after ${JSON.stringify(searched.slice(Math.max(0, index - 40), index))}`),
  );
}

/** Throws where one of the texts, by their names, holds a secret. */
export function assertNoSecrets(texts: Readonly<Record<string, string>>, tokensAskedFor: TokensAskedFor = false): void {
  refuse(Object.entries(texts).flatMap(([name, text]) => findSecrets(text, tokensAskedFor).map((found) => `${name}: ${found}`)));
}

/** What is somebody else's: what a service is built of, and gcloud's own configuration, which is signed in. */
const LEFT_OUT = new Set(["node_modules", "site-packages", "gcloud", "images"]);
/** Bytes. */
const LARGEST = 32 * 1024 * 1024;

interface FolderOptions {
  /** Paths below the folder that are asked to hold keys; of an emulator's data that is `keys`. */
  readonly keys?: readonly string[];
}

/** Throws where a file in a folder holds a secret. The token cache holds tokens, which only their owner may read, and no key. */
export function assertNoSecretsIn(folder: string, { keys = [] }: FolderOptions = {}): void {
  const found: string[] = [];
  const walk = (directory: string): void => {
    for (const entry of existsSync(directory) ? readdirSync(directory, { withFileTypes: true }) : []) {
      const path = join(directory, entry.name);
      const name = relative(folder, path);
      if (LEFT_OUT.has(entry.name) || keys.includes(name)) continue;
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile()) found.push(...scanFile(path).map((secret) => `${name}: ${secret}`));
    }
  };
  walk(folder);
  refuse(found);
}

function scanFile(path: string): string[] {
  try {
    const { size, mode } = lstatSync(path);
    if (size > LARGEST) return [];
    const isCache = /\/tokens\/[0-9a-f]{64}\.json$/.test(path);
    const isOpen = isCache && process.platform !== "win32" && (mode & 0o077) !== 0;
    return [...findSecrets(readFileSync(path, "latin1"), isCache && "a token cache"), ...(isOpen ? ["a token that others may read"] : [])];
  } catch {
    // It went away meanwhile.
    return [];
  }
}

/** Why the command line was asked for a token, if it was. */
export function tokensAskedBy(argv: readonly string[]): TokensAskedFor {
  const [command, word] = argv.filter((argument) => !argument.startsWith("-"));
  const isAsked = command === "token" && word !== "revoke" && !argv.includes("--dry-run");
  return isAsked && "the command is token";
}

function refuse(found: readonly string[]): void {
  if (found.length > 0) throw new Error(`A secret was written where none was asked for:\n${found.join("\n")}`);
}

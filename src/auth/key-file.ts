import { isUtf8 } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { CliError } from "../errors/cli-error.ts";
import { fileErrorReason } from "../errors/file-error.ts";
import { externalStep } from "../errors/next-step.ts";
import { createKeyStep, invalidCredentials, parseServiceAccountKey, type ServiceAccountKey } from "./service-account-key.ts";

/** A key file has about 2400 bytes. */
const MAX_FILE_SIZE_BYTES = 1024 * 1024;

/**
 * Reads a service account's key file. Throws CliError CREDENTIALS_MISSING if the file doesn't exist, else CREDENTIALS_INVALID with the
 * first fault. Errors never contain any of the file's content except public names.
 */
export async function readKeyFile(path: string): Promise<ServiceAccountKey> {
  const subject = `Key file ${path}`;
  return parseServiceAccountKey(await readJsonFile(path, subject), subject);
}

/** The content of a credential file of any type; `subject` begins the sentence of an error. Throws as `readKeyFile` does. */
export async function readJsonFile(path: string, subject: string): Promise<unknown> {
  return parseJson(decode(readKeyFileBytes(path, subject), subject), subject);
}

function readKeyFileBytes(path: string, subject: string): Buffer {
  let file: number | undefined;
  try {
    // Opening a pipe without a writer would otherwise block forever.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = fstatSync(file);
    if (stats.isDirectory()) throw invalidCredentials(subject, "is a folder", "Use the path of the JSON file in it.");
    if (!stats.isFile())
      throw invalidCredentials(subject, "is a pipe or a device, not a file", "Save the key to a file that only you can read.");
    if (stats.size > MAX_FILE_SIZE_BYTES) throw invalidCredentials(subject, "is larger than 1 MiB, so it isn't a key file");
    const bytes = Buffer.alloc(stats.size);
    let length = 0;
    for (let count = 1; count > 0 && length < bytes.length; length += count)
      count = readSync(file, bytes, length, bytes.length - length, null);
    return bytes.subarray(0, length);
  } catch (error) {
    throw explainReadError(error, path, subject);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function explainReadError(error: unknown, path: string, subject: string): CliError {
  if (error instanceof CliError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR")
    return new CliError("CREDENTIALS_MISSING", `Key file not found: ${path}`, { next: [createKeyStep()] });
  const reason = fileErrorReason(error);
  return invalidCredentials(subject, `can't be read: ${reason}`, externalStep("To make it readable", "chmod", "600", path));
}

function decode(bytes: Buffer, subject: string): string {
  if (bytes.length === 0) throw invalidCredentials(subject, "is empty");
  // A byte order mark, or a zero in every other byte: PowerShell's > writes this.
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff) || bytes[0] === 0 || bytes[1] === 0) {
    throw invalidCredentials(subject, "is UTF-16 text", "Save it as UTF-8.");
  }
  if (!isUtf8(bytes)) throw invalidCredentials(subject, "isn't a JSON file (it might be a P12 key)");
  return bytes.toString("utf8").replace(/^\uFEFF/, "");
}

/** V8's own message would quote the text around the fault, which can be the key. */
export function parseJson(text: string, subject: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const trimmed = text.trim();
    if (trimmed.startsWith("-----BEGIN")) throw invalidCredentials(subject, "is a PEM key, not a JSON key file");
    if (/^[A-Za-z0-9+/\s]+=*$/.test(trimmed) && Buffer.from(trimmed, "base64").toString("latin1").trimStart().startsWith("{")) {
      throw invalidCredentials(subject, "is base64-encoded", "Decode it: base64 -d ENCODED > key.json");
    }
    const fault = `isn't valid JSON${trimmed.startsWith("{") && !trimmed.endsWith("}") ? " (truncated)" : ""}`;
    throw invalidCredentials(subject, fault, "Download or copy it again.");
  }
}

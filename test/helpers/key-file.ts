import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "./api-server.ts";
import { CALLER_PAIR } from "./identity.ts";

export const EMAIL = "caller@demo-project.iam.gserviceaccount.com";

/** The PEM of the key that the caller of `openIdentity` has. */
export const PEM = CALLER_PAIR.privateKey.export({ type: "pkcs8", format: "pem" }).toString();

/** What the caller's key file holds; `changes` replace fields, undefined leaves them out. */
export function keyFields(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    type: "service_account",
    project_id: "demo-project",
    private_key_id: CALLER_PAIR.keyId,
    private_key: PEM,
    client_email: EMAIL,
    client_id: "100000000000000000001",
    token_uri: "https://oauth2.googleapis.com/token",
    ...changes,
  };
}

/** Writes a key file into a folder that the test's end removes; gives its path. */
export function writeKeyFile(content: string | Buffer | Readonly<Record<string, unknown>> = keyFields()): string {
  const path = join(temporaryDirectory(), "key.json");
  writeFileSync(path, typeof content === "string" || Buffer.isBuffer(content) ? content : JSON.stringify(content, null, 2), {
    mode: 0o600,
  });
  return path;
}

/** Whether a text holds eight letters in a row of the key. */
export function holdsKey(text: string): boolean {
  const letters = PEM.replace(/-----[^-]+-----/g, "").replace(/\s/g, "");
  for (let at = 0; at + 8 <= text.length; at += 1) if (letters.includes(text.slice(at, at + 8))) return true;
  return false;
}

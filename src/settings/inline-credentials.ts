/** The variable that always holds the credentials themselves; the others hold them or the path of their file. */
export const JSON_VARIABLE = "CLOUDRUN_OAUTH_CREDENTIALS_JSON";

/** The environment variables for the credentials that services are called with; the first that isn't empty counts. */
export const CREDENTIAL_VARIABLES = [
  JSON_VARIABLE,
  "CLOUDRUN_OAUTH_CREDENTIALS",
  "CREDS",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "GOOGLE_CREDENTIALS",
] as const;

/** In UTF-8. A key is longer. */
const MAX_PATH_BYTES = 1024;

/**
 * Returns the credentials that a value holds instead of a path: JSON, or JSON in base64, as pipelines store secrets. Returns anything else that can't
 * be a path, such as part of a key, unchanged. Undefined for a path.
 */
export function readInline(value: string): string | undefined {
  const text = value.trim().replace(/^\uFEFF/, "");
  if (/^["'[{]|^-----BEGIN /.test(text) || /[\r\n\0]/.test(text)) return decode(text) ?? text;
  return decode(text) ?? (Buffer.byteLength(text) > MAX_PATH_BYTES ? text : undefined);
}

/** Decodes JSON in base64 or base64url; undefined for anything else. */
function decode(text: string): string | undefined {
  if (!/^[\w+/\s-]{16,}=*\s*$/.test(text)) return undefined;
  const decoded = Buffer.from(text, "base64")
    .toString("utf8")
    .replace(/^\uFEFF/, "");
  // A path can consist of the same characters, but doesn't decode to text.
  return /^\s*\{[\s\x20-\x7e]{8}/.test(decoded) ? decoded : undefined;
}

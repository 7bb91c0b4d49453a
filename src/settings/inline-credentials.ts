/** The variable that holds credentials themselves; the others may hold them, or name their file. */
export const JSON_VARIABLE = "CLOUDRUN_OAUTH_CREDENTIALS_JSON";

/** The variables of the environment that say which credentials to call services with; the first that is not empty is taken. */
export const CREDENTIAL_VARIABLES = [
  JSON_VARIABLE,
  "CLOUDRUN_OAUTH_CREDENTIALS",
  "CREDS",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "GOOGLE_CREDENTIALS",
] as const;

/** Bytes of UTF-8. No path is as long, and a key is longer. */
const LONGEST_PATH = 1024;

/**
 * The text of a credential that stands where a path might: JSON, minified or not, or the same in base64, as secrets of pipelines come. What is
 * no path either, such as a key that was cut off, is given back as it stands. Undefined for a path.
 */
export function readInline(value: string): string | undefined {
  const text = value.trim().replace(/^\uFEFF/, "");
  if (/^["'[{]|^-----BEGIN /.test(text) || /[\r\n\0]/.test(text)) return decode(text) ?? text;
  return decode(text) ?? (Buffer.byteLength(text) > LONGEST_PATH ? text : undefined);
}

/** Undefined for what is not JSON in base64, or in its form for URLs. */
function decode(text: string): string | undefined {
  if (!/^[\w+/\s-]{16,}=*\s*$/.test(text)) return undefined;
  const decoded = Buffer.from(text, "base64")
    .toString("utf8")
    .replace(/^\uFEFF/, "");
  // A path may begin with the same letters; text does not come out of it.
  return /^\s*\{[\s\x20-\x7e]{8}/.test(decoded) ? decoded : undefined;
}

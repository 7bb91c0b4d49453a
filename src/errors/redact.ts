const SECRETS: readonly (readonly [RegExp, string])[] = [
  // A PEM private key, with line ends or with \n in their place, even if it is cut off.
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, "[private key]"],
  // RFC 7519: a header and a payload that are JSON objects begin with eyJ; the signature can be missing.
  [/eyJ[\w-]+\.eyJ[\w-]+(?:\.[\w-]*)?/g, "[token]"],
  [/ya29\.[\w.-]+/g, "[token]"],
  [/\b1\/\/[\w-]{20,}/g, "[token]"],
  // Anyone who has it can continue the upload: https://cloud.google.com/storage/docs/resumable-uploads#session-uris
  [/\bupload_id=[\w.-]+/g, "upload_id=[upload]"],
  [/\bBearer +[^\s"',[\]]+/gi, "Bearer [token]"],
];

/** The text without private keys and tokens. */
export function redact(text: string): string {
  return SECRETS.reduce((rest, [pattern, stead]) => rest.replace(pattern, stead), text);
}

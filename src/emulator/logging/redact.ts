/** For each kind of secret: a marker that is searched for first, the pattern, and the replacement. */
const SECRET_PATTERNS: readonly (readonly [string, RegExp, string])[] = [
  // Up to the key's end, or to the end of the JSON string that contains it.
  ["PRIVATE KEY-----", /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^"\\]|\\.)*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?="))/g, "[private key]"],
  // RFC 7519: headers and payloads, which are JSON objects, begin with eyJ. A token without its signature is useless.
  ["eyJ", /(eyJ[\w-]+\.eyJ[\w-]+\.)(?!SIGNATURE_REMOVED_BY_GOOGLE)[\w-]+/g, "$1SIGNATURE_REMOVED"],
  ["ya29.", /ya29\.[\w.-]+/g, "[access token]"],
];

// Unlike Cloud Run: private keys and tokens that a service writes are removed from its log.
/** Removes private keys, access tokens, and signatures of ID tokens from an entry's JSON. */
export function redact(json: string): string {
  return SECRET_PATTERNS.reduce((rest, [sign, pattern, stead]) => (rest.includes(sign) ? rest.replace(pattern, stead) : rest), json);
}

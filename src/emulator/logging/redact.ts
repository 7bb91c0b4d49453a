/** What all of a kind hold, which is looked for first; what they are, and what stands in their stead. */
const SECRETS: readonly (readonly [string, RegExp, string])[] = [
  // To its end, or to the end of the JSON string that it stands in.
  ["PRIVATE KEY-----", /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^"\\]|\\.)*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?="))/g, "[private key]"],
  // RFC 7519: a header and a payload that are JSON objects begin with eyJ; without its signature it is of no use.
  ["eyJ", /(eyJ[\w-]+\.eyJ[\w-]+\.)(?!SIGNATURE_REMOVED_BY_GOOGLE)[\w-]+/g, "$1SIGNATURE_REMOVED"],
  ["ya29.", /ya29\.[\w.-]+/g, "[access token]"],
];

// Unlike Cloud Run: a private key or a token that a service writes does not get into its log.
/** The JSON of an entry without private keys, access tokens, and signatures of ID tokens. */
export function redact(json: string): string {
  return SECRETS.reduce((rest, [sign, pattern, stead]) => (rest.includes(sign) ? rest.replace(pattern, stead) : rest), json);
}

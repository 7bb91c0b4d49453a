const SECRETS: readonly (readonly [RegExp, string])[] = [
  // To its end, or to the end of the JSON string that it stands in.
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^"\\]|\\.)*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?="))/g, "[private key]"],
  // RFC 7519: a header and a payload that are JSON objects begin with eyJ; without its signature it is of no use.
  [/(eyJ[\w-]+\.eyJ[\w-]+\.)(?!SIGNATURE_REMOVED_BY_GOOGLE)[\w-]+/g, "$1SIGNATURE_REMOVED"],
  [/ya29\.[\w.-]+/g, "[access token]"],
];

// Unlike Cloud Run: a private key or a token that a service writes does not get into its log.
/** The JSON of an entry without private keys, access tokens, and signatures of ID tokens. */
export function redact(json: string): string {
  return SECRETS.reduce((rest, [pattern, stead]) => rest.replace(pattern, stead), json);
}

import { CliError } from "../errors/cli-error.ts";

export type Headers = readonly (readonly [name: string, value: string])[];

/** RFC 9110, section 5.6.2. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Headers that callers can't set, and why. */
const RESERVED_HEADERS: Readonly<Record<string, string>> = {
  "content-length": "is set from the body",
  "transfer-encoding": "is set from the body",
  connection: "controls the connection, which is reused",
  upgrade: "controls the connection, which is reused",
  "x-serverless-authorization": "carries the ID token if Authorization is set",
};

/** Parses `Name: value` lines. Throws CliError USAGE that names the header but never quotes its value. */
export function parseHeaders(lines: readonly string[]): Headers {
  return lines.map((line) => {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    if (colon < 1 || !NAME.test(name))
      throw new CliError("USAGE", "Invalid header.", { hint: "Use the format 'Name: value', for example -H 'Accept: application/json'." });
    const reason = RESERVED_HEADERS[name.toLowerCase()];
    if (reason) throw new CliError("USAGE", `Can't set the ${name} header: it ${reason}.`);
    const value = line.slice(colon + 1).trim();
    // RFC 9110, section 5.5: a line end would start another header.
    if (/\p{Cc}/u.test(value.replaceAll("\t", " ")))
      throw new CliError("USAGE", `The value of the ${name} header contains a line break or another control character.`);
    return [name, value] as const;
  });
}

/** A header from which Cloud Run or IAP reads the ID token. */
export type TokenHeader = "Authorization" | "X-Serverless-Authorization" | "Proxy-Authorization";

/**
 * The header for the ID token: the requested one, else Authorization. If the caller sets Authorization, the service receives it unchanged
 * and the token goes into X-Serverless-Authorization, or Proxy-Authorization for IAP. Throws CliError USAGE if both would be in one header.
 */
export function chooseTokenHeader(
  headers: Headers,
  requested?: "authorization" | "x-serverless-authorization",
  isForIap = false,
): TokenHeader {
  const isTaken = hasHeader(headers, "authorization");
  if (isForIap && requested === "x-serverless-authorization")
    throw new CliError("USAGE", "Identity-Aware Proxy doesn't read X-Serverless-Authorization.", {
      hint: "Omit --auth-header. If you set Authorization, the token is sent in Proxy-Authorization.",
    });
  if (isForIap && isTaken && !requested) return "Proxy-Authorization";
  if (requested === "x-serverless-authorization" || (isTaken && !requested)) return "X-Serverless-Authorization";
  if (!isTaken) return "Authorization";
  throw new CliError("USAGE", "Authorization can't carry both the ID token and your value.", {
    hint: "Omit --auth-header. The token is then sent in X-Serverless-Authorization.",
  });
}

export function withToken(headers: Headers, token: string, tokenHeader: TokenHeader): Headers {
  return [[tokenHeader, `Bearer ${token}`], ...headers];
}

export function hasHeader(headers: Headers, name: string): boolean {
  return headers.some(([other]) => other.toLowerCase() === name);
}

const SECRET_HEADERS = new Set(["authorization", "cookie", "proxy-authorization"]);

/** Whether a header's value is a secret between the caller and the service. */
export function isSecretHeader(name: string): boolean {
  return SECRET_HEADERS.has(name.toLowerCase());
}

import { CliError } from "../errors/cli-error.ts";

export type Headers = readonly (readonly [name: string, value: string])[];

/** RFC 9110, section 5.6.2. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** What says how the request travels is not for the caller to say, and a second one would contradict the first. */
const RESERVED_HEADERS: Readonly<Record<string, string>> = {
  "content-length": "follows from the body",
  "transfer-encoding": "follows from the body",
  connection: "is about the connection, which is kept",
  upgrade: "is about the connection, which is kept",
  "x-serverless-authorization": "carries the ID token wherever Authorization is the caller's own",
};

/** Reads `Name: value` lines. Throws CliError USAGE that names the header, and never its value. */
export function parseHeaders(lines: readonly string[]): Headers {
  return lines.map((line) => {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    if (colon < 1 || !NAME.test(name))
      throw new CliError("USAGE", "A header is not written as 'Name: value'.", { hint: "For example: -H 'Accept: application/json'" });
    const reason = RESERVED_HEADERS[name.toLowerCase()];
    if (reason) throw new CliError("USAGE", `The header ${name} cannot be set: it ${reason}.`);
    const value = line.slice(colon + 1).trim();
    // RFC 9110, section 5.5: a line end would begin a header of its own.
    if (/\p{Cc}/u.test(value.replaceAll("\t", " ")))
      throw new CliError("USAGE", `The value of the header ${name} holds a line end or another control character.`);
    return [name, value] as const;
  });
}

/** A header that Cloud Run takes the ID token from, or IAP. */
export type TokenHeader = "Authorization" | "X-Serverless-Authorization" | "Proxy-Authorization";

/**
 * The header for the ID token: the one that is said, else Authorization, unless that is the caller's own; that goes to the service as it is,
 * and Cloud Run reads the other header, which is Proxy-Authorization for IAP. Throws CliError USAGE where both are to go into one.
 */
export function chooseTokenHeader(headers: Headers, said?: "authorization" | "x-serverless-authorization", isForIap = false): TokenHeader {
  const isTaken = hasHeader(headers, "authorization");
  if (isForIap && said === "x-serverless-authorization")
    throw new CliError("USAGE", "Identity-Aware Proxy does not read X-Serverless-Authorization.", {
      hint: "Leave --auth-header away: where Authorization is your own, the token goes into Proxy-Authorization.",
    });
  if (isForIap && isTaken && !said) return "Proxy-Authorization";
  if (said === "x-serverless-authorization" || (isTaken && !said)) return "X-Serverless-Authorization";
  if (!isTaken) return "Authorization";
  throw new CliError("USAGE", "The header Authorization is to carry the ID token, and a value of its own.", {
    hint: "Leave --auth-header away: then the token goes into X-Serverless-Authorization.",
  });
}

/** Adds the ID token in its header. */
export function withToken(headers: Headers, token: string, carrier: TokenHeader): Headers {
  return [[carrier, `Bearer ${token}`], ...headers];
}

export function hasHeader(headers: Headers, name: string): boolean {
  return headers.some(([other]) => other.toLowerCase() === name);
}

const SECRET_HEADERS = new Set(["authorization", "cookie", "proxy-authorization"]);

/** True for a header whose value is for the service it was meant for, and for nobody else. */
export function isSecretHeader(name: string): boolean {
  return SECRET_HEADERS.has(name.toLowerCase());
}

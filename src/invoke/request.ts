import type { Readable } from "node:stream";
import type { Credentials } from "../auth/credentials.ts";
import { CliError } from "../errors/cli-error.ts";
import { readBody, readJsonBody, type CallBody } from "./body.ts";
import { chooseTokenHeader, hasHeader, isSecretHeader, parseHeaders, type TokenHeader, type Headers } from "./headers.ts";
import type { BodySource } from "./input-file.ts";
import type { CallOptions } from "./options.ts";

/** A request without its token. */
export interface Call {
  readonly method: string;
  readonly url: URL;
  /** The token's audience. */
  readonly audience: string;
  readonly headers: Headers;
  /** The header that carries the token. */
  readonly tokenHeader: TokenHeader;
  readonly body: Buffer | Readable | undefined;
}

/** Reads the request from the flags. A Content-Type in the flags takes precedence over the detected one. Throws CliError USAGE, NOT_FOUND. */
export async function readCall(options: CallOptions, source: BodySource): Promise<Omit<Call, "url" | "audience">> {
  const flagHeaders = parseHeaders(options.header ?? []);
  const tokenHeader = chooseTokenHeader(flagHeaders, options.authHeader, options.iap !== undefined);
  const content = await readContent(options, source);
  const agent: Headers = hasHeader(flagHeaders, "user-agent") ? [] : [["User-Agent", "cloudrun-oauth"]];
  if (options.form && hasHeader(flagHeaders, "content-type"))
    throw new CliError("USAGE", "Content-Type can't be set for a multipart form: it contains the form's boundary.", {
      hint: "Omit the Content-Type header.",
    });
  const described = content?.headers.filter(([name]) => !hasHeader(flagHeaders, name.toLowerCase())) ?? [];
  const method = readMethod(options.request ?? (content ? "POST" : "GET"));
  return { method, headers: [...flagHeaders, ...agent, ...described], tokenHeader, body: content?.body };
}

function readMethod(named: string): string {
  const method = named.toUpperCase();
  if (/^[A-Z]+$/.test(method) && method !== "CONNECT") return method;
  throw new CliError("USAGE", `Invalid HTTP method "${named}".`, { hint: "For example: -X PUT" });
}

async function readContent(options: CallOptions, source: BodySource): Promise<CallBody | undefined> {
  const { data, jsonData, dataUrlencode, form } = options;
  if (data !== undefined) return readBody(data, source);
  if (jsonData !== undefined) return readJsonBody(jsonData, source);
  if (!form && !dataUrlencode) return undefined;
  const { readForm, readUrlencoded } = await import("./form.ts");
  return form ? readForm(form, source) : readUrlencoded(dataUrlencode ?? []);
}

/** What `--dry-run` prints: the request without its secrets. */
export function describeCall({ method, url, headers, tokenHeader, body, audience }: Call, { principal, file, tokenRequest }: Credentials) {
  const shown = headers.map(([name, value]) => `${name}: ${isSecretHeader(name) ? "[redacted]" : value}`);
  return {
    method,
    url: url.href,
    headers: [`${tokenHeader}: Bearer [ID token]`, ...shown],
    body: Buffer.isBuffer(body) ? body.toString("utf8") : body && "[streamed]",
    audience,
    principal,
    credentials: file,
    token_request: tokenRequest,
  };
}

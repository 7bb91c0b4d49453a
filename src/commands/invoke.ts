import { resolve } from "node:path";
import { audienceFor } from "../auth/audience.ts";
import { findCredentials, type Credentials } from "../auth/credentials.ts";
import { principalOf } from "../auth/id-token.ts";
import { explainRefusal } from "../auth/refusal.ts";
import { readBody, type CallBody } from "../call/body.ts";
import { writeDocument } from "../call/document.ts";
import { hasHeader, parseHeaders, withToken, type Headers } from "../call/headers.ts";
import { openOutputFile, type OutputFile } from "../call/output-file.ts";
import { findTarget } from "../call/target.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { setOutputs } from "../github-actions.ts";
import type { Response } from "../request.ts";

interface InvokeOptions {
  readonly audience?: string;
  readonly request?: string;
  readonly data?: string;
  readonly header?: readonly string[];
  readonly include?: boolean;
  readonly output?: string;
  readonly raw?: boolean;
}

/** A call, ready to be sent but for its token. */
interface Call {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: CallBody["body"] | undefined;
}

/**
 * Calls the service with an ID token and prints what it says. Throws HTTP_STATUS where the service answers 400 or above, NOT_AUTHENTICATED,
 * NOT_AUTHORIZED or NOT_REACHABLE where Cloud Run's front end refused; what was answered is printed before.
 */
export async function invoke(context: Context, target: string | undefined, options: InvokeOptions): Promise<void> {
  const { terminal, settings, send, env } = context;
  assertSensible(options);
  const method = readMethod(options);
  const given = parseHeaders(options.header ?? []);
  const credentials = await findCredentials(settings.get("credentials"), context);
  const url = await findTarget(context, target);
  const audience = credentials.audience ?? options.audience ?? audienceFor(url);
  const call: Call = { method, url, ...(await readCall(given, options, context)) };
  terminal.debug(`credential: ${credentials.description}`);
  terminal.debug(`audience: ${audience}`);
  if (context.dryRun) return terminal.printJson(plan(call, audience, credentials));

  const file = options.output === undefined ? undefined : await openOutputFile(resolve(context.cwd, options.output));
  try {
    const token = await credentials.fetchIdToken(audience);
    const principal = credentials.principal ?? principalOf(token);
    const started = performance.now();
    const response = await send({ ...call, url: url.href, headers: withToken(call.headers, token), ...(call.body && { body: call.body }) });
    setOutputs(env, `Called ${url.host}`, { status_code: response.status });
    const facts = () =>
      options.include ? { headers: response.headers, duration_ms: Math.round(performance.now() - started), audience, principal } : {};
    if (response.status < 400) return await printSuccess(context, response, options, file, facts);

    const bytes = await response.bytes();
    terminal.print(options.raw ? bytes : writeDocument({ ...response, bytes }, facts()));
    const refused = { url, status: response.status, headers: response.headers, body: bytes.toString("utf8"), token, now: Date.now() };
    throw (
      explainRefusal(refused) ??
      new CliError("HTTP_STATUS", `The service answered ${response.status}.`, { details: { status_code: response.status, url: url.href } })
    );
  } finally {
    await file?.discard();
  }
}

async function printSuccess(
  context: Context,
  response: Response,
  { output = "", raw }: InvokeOptions,
  file: OutputFile | undefined,
  facts: () => object,
): Promise<void> {
  const { terminal } = context;
  if (raw) {
    for await (const chunk of response.body as AsyncIterable<Buffer>) terminal.print(chunk);
  } else if (file) {
    const bytes = await file.write(response.body);
    terminal.print(writeDocument({ ...response, bytes: null }, { file: resolve(context.cwd, output), bytes, ...facts() }));
  } else {
    const bytes = await response.bytes();
    terminal.print(writeDocument({ ...response, bytes }, { ...facts() }));
  }
}

function assertSensible({ raw, output, include }: InvokeOptions): void {
  if (raw && output !== undefined)
    throw new CliError("USAGE", "--raw prints the body, and --output keeps it from being printed.", { hint: "Say one of them." });
  if (raw && include) throw new CliError("USAGE", "--raw prints the body alone, and --include prints more.", { hint: "Say one of them." });
}

function readMethod({ request, data }: InvokeOptions): string {
  const method = (request ?? (data === undefined ? "GET" : "POST")).toUpperCase();
  if (!/^[A-Z]+$/.test(method) || method === "CONNECT")
    throw new CliError("USAGE", `"${request}" is no method that a service is called with.`, { hint: "For example: -X PUT" });
  return method;
}

/** The headers and the body; what the caller says of the body's type goes before what it looks like. */
async function readCall(
  given: Headers,
  { data }: InvokeOptions,
  context: Context,
): Promise<{ headers: Headers; body: CallBody["body"] | undefined }> {
  const agent: Headers = hasHeader(given, "user-agent") ? [] : [["User-Agent", "cloudrun-oauth"]];
  if (data === undefined) return { headers: [...given, ...agent], body: undefined };
  const { body, headers } = await readBody(data, context);
  return { body, headers: [...given, ...agent, ...headers.filter(([name]) => !hasHeader(given, name.toLowerCase()))] };
}

const SECRET = new Set(["authorization", "cookie", "proxy-authorization"]);

/** What `--dry-run` prints: the request, without what nobody is to read over a shoulder. */
function plan({ method, url, headers, body }: Call, audience: string, { principal, file, tokenRequest }: Credentials) {
  const shown = headers.map(([name, value]) => `${name}: ${SECRET.has(name.toLowerCase()) ? "[redacted]" : value}`);
  const [[carrier]] = withToken(headers, "") as [readonly [string, string]];
  return {
    method,
    url: url.href,
    headers: [`${carrier}: Bearer [ID token]`, ...shown],
    body: Buffer.isBuffer(body) ? body.toString("utf8") : body && "[streamed]",
    audience,
    principal,
    credentials: file,
    token_request: tokenRequest,
  };
}

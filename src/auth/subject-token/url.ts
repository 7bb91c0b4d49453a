import { CliError } from "../../errors/cli-error.ts";
import type { AuthContext } from "../auth-context.ts";
import { openFieldReader, type FieldReader } from "../field-reader.ts";
import { assertGoogleHost } from "../google-hosts.ts";
import { readTokenFormat } from "./format.ts";

/** The metadata servers of clouds, and GitHub for its runners. */
const ALLOWED_HOSTS = /^(?:169\.254\.169\.254|fd00:ec2::254|metadata\.google\.internal|(?:[a-z0-9-]+\.)*actions\.githubusercontent\.com)$/;
const METADATA_HOSTS = /^(?:169\.254\.169\.254|fd00:ec2::254|metadata\.google\.internal)$/;
const TIMEOUT_MS = 30_000;

/** A token from a server, such as another cloud's metadata server, or GitHub for its runners. */
export function readUrlSource(source: FieldReader, subject: string, { send, env }: AuthContext) {
  const url = source.url("url");
  assertSourceHost(url, "credential_source.url", subject, env);
  const take = readTokenFormat(source, subject);
  const headerFields = source.optionalObject("headers") ?? {};
  const reader = openFieldReader(headerFields, subject, "Check credential_source.headers.", "credential_source.headers.");
  const headers = Object.keys(headerFields).map((name): [string, string] => [name, reader.text(name)]);
  return { from: url.host, supply: () => fetchToken({ url, headers, take, send }) };
}

/** Gets a token. The response is a secret, so no error quotes it. */
export async function fetchToken({
  url,
  headers,
  take,
  send,
}: {
  url: URL;
  headers: readonly (readonly [string, string])[];
  take: (text: string) => string | undefined;
  send: AuthContext["send"];
}): Promise<string> {
  const response = await send({ method: "GET", url: url.href, headers, timeoutMs: TIMEOUT_MS });
  const text = await response.text();
  const token = response.status === 200 ? take(text) : undefined;
  if (token !== undefined) return token;
  const details = { host: url.host, status_code: response.status };
  if (response.status >= 500 || response.status === 429)
    throw new CliError("UNAVAILABLE", `${url.host}, which provides the workload's token, returned ${response.status}.`, { details });
  throw new CliError(
    "TOKEN_REFUSED",
    `${url.host} returned no token for this workload: ${response.status === 200 ? "unexpected response format" : `status ${response.status}`}.`,
    { hint: "The credential in credential_source.headers is only valid for one job.", details },
  );
}

/** Otherwise a malicious configuration could make the tool send requests to any server in the network. */
export function assertSourceHost(url: URL, field: string, subject: string, env: AuthContext["env"]): void {
  const runnerUrl = env["ACTIONS_ID_TOKEN_REQUEST_URL"] ?? "";
  // The host of a GitHub Enterprise Server is in the runner's environment.
  if (url.protocol === "https:" && URL.canParse(runnerUrl) && new URL(runnerUrl).host === url.host) return;
  assertGoogleHost(url, {
    field,
    subject,
    hosts: METADATA_HOSTS.test(url.hostname) ? METADATA_HOSTS : ALLOWED_HOSTS,
    isLocal: METADATA_HOSTS.test(url.hostname),
    env,
  });
}

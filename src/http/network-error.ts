import { CliError } from "../errors/cli-error.ts";
import type { Route } from "./route.ts";

/** The time for name resolution, connection, and TLS. */
export const CONNECT_TIMEOUT_MS = 20_000;

/** A connection or a response took too long. */
export class TimedOut extends Error {
  override readonly name = "TimedOut";
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}

/** The proxy did not open the tunnel. */
export class TunnelRefused extends Error {
  override readonly name = "TunnelRefused";
  readonly status: number;

  constructor(status: number) {
    super(`the proxy answered ${status}`);
    this.status = status;
  }
}

/** The end of the sentence for a failure, by Node's error code. */
const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: "there is no such host name",
  EAI_AGAIN: "host names cannot be looked up at the moment",
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was broken off",
  EPIPE: "the connection was broken off",
  ETIMEDOUT: "it does not answer",
  EHOSTUNREACH: "there is no way to it from this network",
  ENETUNREACH: "this machine has no network",
  EMFILE: "this process has as many connections open as it may (ulimit -n)",
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet, which may be this machine's clock",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is signed by nobody that this machine trusts",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is signed by nobody that this machine trusts",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is signed by nobody that this machine trusts",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is signed by nobody that this machine trusts",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
  EPROTO: "it does not speak TLS there",
};

const UNTRUSTED_CERTIFICATE =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:GET_ISSUER_CERT_LOCALLY|VERIFY_LEAF_SIGNATURE))$/;

/** The error for a request that got no response, or an incomplete one. */
export function explainFailure(error: unknown, url: URL, { isEmulator, proxy }: Route): CliError {
  if (error instanceof CliError) return error;
  const { code = "", name = "", message = "" } = (error ?? {}) as NodeJS.ErrnoException;
  const details = { host: url.host, cause: code || name };
  if (isEmulator && code === "ECONNREFUSED") {
    return new CliError("EMULATOR_NOT_RUNNING", "CLOUDRUN_OAUTH_EMULATOR names an emulator that is not running.", {
      hint: "cloudrun-oauth emulator start",
      cause: error,
      details,
    });
  }
  const through = proxy ? ` through the proxy ${proxy}` : "";
  if (error instanceof TimedOut) {
    return new CliError("TIMEOUT", `${url.host} did not answer within ${error.timeoutMs / 1000} s${through}.`, { cause: error, details });
  }
  return new CliError("UNAVAILABLE", `${url.host} cannot be reached${through}: ${reasonOf(code, message)}${code ? ` (${code})` : ""}.`, {
    ...hintFor(error, code),
    cause: error,
    details,
  });
}

function reasonOf(code: string, message: string): string {
  if (code.startsWith("HPE_")) return "what it answers is not HTTP";
  if (code.startsWith("ERR_SSL_")) return "it does not speak TLS there, or another version";
  return REASONS[code] ?? message.replace(/\.$/, "");
}

function hintFor(error: unknown, code: string): { hint?: string } {
  if (UNTRUSTED_CERTIFICATE.test(code)) return { hint: "Where a proxy opens TLS, set NODE_EXTRA_CA_CERTS to the file of its certificate." };
  if (error instanceof TunnelRefused && error.status === 407)
    return { hint: "Put the proxy's user and password into its URL: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT" };
  return {};
}

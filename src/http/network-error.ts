import { CliError } from "../errors/cli-error.ts";
import { nextStep } from "../errors/next-step.ts";
import type { Route } from "./route.ts";

/** The time for name resolution, connection, and TLS. */
export const CONNECT_TIMEOUT_MS = 20_000;

/** A connection or a response took too long. */
export class TimedOut extends Error {
  override readonly name = "TimedOut";
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super(`no response within ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}

/** The proxy didn't open the tunnel. */
export class TunnelRefused extends Error {
  override readonly name = "TunnelRefused";
  readonly status: number;

  constructor(status: number) {
    super(`the proxy returned ${status}`);
    this.status = status;
  }
}

const UNTRUSTED_CERTIFICATE = "its certificate isn't trusted";
const CONNECTION_CLOSED = "the connection was closed unexpectedly";

/** The end of the sentence for a failure, by Node's error code. */
const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: "host name not found",
  EAI_AGAIN: "DNS lookup failed",
  ECONNREFUSED: "connection refused",
  ECONNRESET: CONNECTION_CLOSED,
  EPIPE: CONNECTION_CLOSED,
  ETIMEDOUT: "connection timed out",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  EMFILE: "too many open files; raise the limit with ulimit -n",
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate isn't valid yet; check this computer's clock",
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED_CERTIFICATE,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED_CERTIFICATE,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED_CERTIFICATE,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED_CERTIFICATE,
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
  EPROTO: "TLS handshake failed",
};

/** The error for a request that got no response, or an incomplete one. */
export function explainFailure(error: unknown, url: URL, { isEmulator, proxy }: Route): CliError {
  if (error instanceof CliError) return error;
  const { code = "", name = "", message = "" } = (error ?? {}) as NodeJS.ErrnoException;
  const details = { host: url.host, cause: code || name };
  if (isEmulator && code === "ECONNREFUSED") {
    return new CliError("EMULATOR_NOT_RUNNING", "No emulator is running at the address in CLOUDRUN_OAUTH_EMULATOR.", {
      next: [nextStep("To start it", "emulator", "start")],
      cause: error,
      details,
    });
  }
  const through = proxy ? ` through the proxy ${proxy}` : "";
  if (error instanceof TimedOut) {
    return new CliError("TIMEOUT", `${url.host} didn't respond within ${error.timeoutMs / 1000} s${through}.`, { cause: error, details });
  }
  return new CliError("UNAVAILABLE", `Can't reach ${url.host}${through}: ${reasonOf(code, message)}${code ? ` (${code})` : ""}.`, {
    hint: hintFor(error, code),
    cause: error,
    details,
  });
}

function reasonOf(code: string, message: string): string {
  if (code.startsWith("HPE_")) return "the response isn't HTTP";
  if (code.startsWith("ERR_SSL_")) return "TLS handshake failed";
  return REASONS[code] ?? message.replace(/\.$/, "");
}

function hintFor(error: unknown, code: string): string | undefined {
  if (REASONS[code] === UNTRUSTED_CERTIFICATE) return "If a proxy inspects TLS, set NODE_EXTRA_CA_CERTS to its certificate file.";
  if (error instanceof TunnelRefused && error.status === 407)
    return "Add the proxy's user name and password to its URL: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT";
  return undefined;
}

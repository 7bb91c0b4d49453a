import { CliError } from "../errors/cli-error.ts";
import { poll } from "../http/poll.ts";
import type { CallResult } from "./authenticated-call.ts";

/** https://cloud.google.com/iam/docs/access-change-propagation: "typically 2 minutes, potentially 7 minutes or longer". */
const DEFAULT_TIMEOUT_MS = 10 * 60_000;

interface WaitOptions {
  readonly signal: AbortSignal;
  /** Receives the reason for waiting whenever it changes. */
  readonly tell: (reason: string) => void;
  readonly timeoutMs?: number;
}

interface Attempt {
  readonly result?: CallResult;
  /** Why the call is repeated, unless its status matches. */
  readonly reason: CliError;
}

/**
 * Calls until the status matches (`200`, `2xx`) and returns that result, without an error. After the timeout (ten minutes by default), returns
 * the last result as a TIMEOUT. An unreachable service is called again; any other failure is thrown.
 */
export async function waitForStatus(
  status: string,
  call: () => Promise<CallResult>,
  { signal, tell, timeoutMs = DEFAULT_TIMEOUT_MS }: WaitOptions,
): Promise<CallResult> {
  const pattern = new RegExp(`^${status.replace(/xx/i, "..")}$`);
  let last: Attempt | undefined;
  const attemptAgain = async (): Promise<CallResult | undefined> => {
    last?.result?.response.body.destroy();
    const { result, reason } = await attempt(call, signal);
    if (result && pattern.test(String(result.response.status))) return result;
    if (reason.message !== last?.reason.message) tell(reason.message);
    last = { result, reason };
    return undefined;
  };
  const matching = await poll(attemptAgain, { signal, firstPauseMs: 250, maxPauseMs: 5000, timeoutMs });
  if (matching) return { ...matching, error: undefined };
  const { message = "", hint, next } = last?.reason ?? {};
  const error = new CliError("TIMEOUT", `No ${status} response within ${timeoutMs / 60_000} minutes. ${message}`, { hint, next });
  if (last?.result) return { ...last.result, error };
  throw error;
}

async function attempt(call: () => Promise<CallResult>, signal: AbortSignal): Promise<Attempt> {
  try {
    const result = await call();
    return { result, reason: result.error ?? new CliError("HTTP_STATUS", `Service returned ${result.response.status}.`) };
  } catch (error) {
    if (!signal.aborted && error instanceof CliError && (error.code === "UNAVAILABLE" || error.code === "TIMEOUT"))
      return { reason: error };
    throw error;
  }
}

import { CliError } from "../errors/cli-error.ts";
import { poll } from "../http/poll.ts";
import type { CallResult } from "./authenticated-call.ts";

/** https://cloud.google.com/iam/docs/access-change-propagation: "typically 2 minutes, potentially 7 minutes or longer". */
const DEFAULT_TIMEOUT_MS = 10 * 60_000;

interface WaitOptions {
  readonly signal: AbortSignal;
  /** Receives a line whenever the reason for waiting changes. */
  readonly note: (text: string) => void;
  /** Default: ten minutes. */
  readonly timeoutMs?: number;
}

interface Attempt {
  readonly result?: CallResult;
  /** Why the call is repeated, unless its status matches. */
  readonly reason: { readonly message: string; readonly hint?: string | undefined };
}

/**
 * Calls until the status matches (`200`, `2xx`) and returns that result, without an error. After the timeout, returns the last result as a
 * TIMEOUT. An unreachable service is called again; any other failure is thrown.
 */
export async function waitForStatus(
  status: string,
  call: () => Promise<CallResult>,
  { signal, note, timeoutMs = DEFAULT_TIMEOUT_MS }: WaitOptions,
): Promise<CallResult> {
  const pattern = new RegExp(`^${status.replace(/xx/i, "..")}$`);
  let last: Attempt | undefined;
  const attemptAgain = async (): Promise<CallResult | undefined> => {
    last?.result?.response.body.destroy();
    const { result, reason } = await attempt(call, signal);
    if (result && pattern.test(String(result.response.status))) return result;
    if (reason.message !== last?.reason.message) note(`Not ${status} yet: ${reason.message}`);
    last = { ...(result && { result }), reason };
    return undefined;
  };
  const matching = await poll(attemptAgain, { signal, firstPauseMs: 250, maxPauseMs: 5000, timeoutMs });
  if (matching) return { ...matching, error: undefined };
  const { message = "", hint } = last?.reason ?? {};
  const error = new CliError("TIMEOUT", `There was no ${status} within ${timeoutMs / 60_000} minutes. ${message}`, {
    ...(hint && { hint }),
  });
  if (last?.result) return { ...last.result, error };
  throw error;
}

async function attempt(call: () => Promise<CallResult>, signal: AbortSignal): Promise<Attempt> {
  try {
    const result = await call();
    return { result, reason: result.error ?? { message: `The service answered ${result.response.status}.` } };
  } catch (error) {
    if (!signal.aborted && error instanceof CliError && (error.code === "UNAVAILABLE" || error.code === "TIMEOUT"))
      return { reason: error };
    throw error;
  }
}

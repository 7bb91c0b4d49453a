import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../errors/cli-error.ts";
import type { CallResult } from "./authenticated-call.ts";

/** https://cloud.google.com/iam/docs/access-change-propagation: "typically 2 minutes, potentially 7 minutes or longer". */
const DEFAULT_TIMEOUT_MS = 10 * 60_000;

interface Wait {
  readonly signal: AbortSignal;
  /** Receives a line whenever the reason for waiting changes. */
  readonly note: (text: string) => void;
  /** Milliseconds; ten minutes where it is not said. */
  readonly patience?: number;
}

/**
 * Calls until the status matches (`200`, `2xx`) and returns that result, without an error. After the timeout, returns the last result as a
 * TIMEOUT. An unreachable service is called again; any other failure is thrown.
 */
export async function waitForStatus(
  status: string,
  call: () => Promise<CallResult>,
  { signal, note, patience = DEFAULT_TIMEOUT_MS }: Wait,
): Promise<CallResult> {
  const wanted = new RegExp(`^${status.replace(/xx/i, "..")}$`);
  const end = performance.now() + patience;
  let said = "";
  for (let pause = 250; ; pause = Math.min(pause * 1.5, 5000)) {
    const { answer, reason } = await attempt(call, signal);
    if (answer && wanted.test(String(answer.response.status))) return { ...answer, error: undefined };
    if (performance.now() > end) {
      const { message, hint } = reason;
      const error = new CliError("TIMEOUT", `There was no ${status} within ${patience / 60_000} minutes. ${message}`, {
        ...(hint && { hint }),
      });
      if (answer) return { ...answer, error };
      throw error;
    }
    answer?.response.body.destroy();
    if (reason.message !== said) note(`Not ${status} yet: ${reason.message}`);
    said = reason.message;
    await sleep(pause, undefined, { signal });
  }
}

interface Attempt {
  readonly answer?: CallResult;
  /** Why the call is repeated, unless its status matches. */
  readonly reason: { readonly message: string; readonly hint?: string | undefined };
}

async function attempt(call: () => Promise<CallResult>, signal: AbortSignal): Promise<Attempt> {
  try {
    const answer = await call();
    return { answer, reason: answer.error ?? { message: `The service answered ${answer.response.status}.` } };
  } catch (error) {
    if (!signal.aborted && error instanceof CliError && (error.code === "UNAVAILABLE" || error.code === "TIMEOUT"))
      return { reason: error };
    throw error;
  }
}

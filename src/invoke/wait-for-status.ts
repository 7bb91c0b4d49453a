import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../errors/cli-error.ts";
import type { CallResult } from "./authenticated-call.ts";

/** Milliseconds. https://cloud.google.com/iam/docs/access-change-propagation: "typically 2 minutes, potentially 7 minutes or longer". */
const DEFAULT_TIMEOUT_MS = 10 * 60_000;

interface Wait {
  readonly signal: AbortSignal;
  /** Takes a line whenever it is another reason than before. */
  readonly note: (text: string) => void;
  /** Milliseconds; ten minutes where it is not said. */
  readonly patience?: number;
}

/**
 * Calls until the status is the one that is waited for (`200`, `2xx`), and gives that answer, which is no error then; when patience ends, the
 * last one, as a TIMEOUT. What cannot be reached is not there yet; any other failure is thrown.
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
  /** Why this is not the end, unless it is. */
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

import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../../errors/cli-error.ts";

/** Milliseconds between two attempts. An account that has just been made is not known everywhere for up to a minute. */
const PAUSES = [1000, 2000, 4000, 8000, 15_000, 15_000, 15_000];

/** Does what changes a policy; again where somebody else was faster, or where an account that it is about is among the `fresh` ones and not known yet. */
export async function patiently<T>(
  work: () => Promise<T>,
  { fresh, signal }: { readonly fresh: readonly string[]; readonly signal: AbortSignal },
): Promise<T> {
  for (const pause of PAUSES) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      const isAwaited = error.code === "NOT_FOUND" && error.subject?.kind === "account" && fresh.includes(error.subject.name);
      if (error.code !== "CONFLICT" && !isAwaited) throw error;
      await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
  return work();
}

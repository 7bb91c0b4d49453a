import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../errors.ts";

/** Milliseconds between two attempts. An account that has just been made is not known everywhere for up to a minute. */
const PAUSES = [1000, 2000, 4000, 8000, 15_000, 15_000, 15_000];

/** Does what changes a policy; again where somebody else was faster, or where an account in it `isNew` and is not known yet. */
export async function patiently<T>(work: () => Promise<T>, isNew: boolean, signal: AbortSignal): Promise<T> {
  for (const pause of PAUSES) {
    try {
      return await work();
    } catch (error) {
      const isPassing = error instanceof CliError && (error.code === "CONFLICT" || (isNew && error.code === "NOT_FOUND"));
      if (!isPassing) throw error;
      await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
  return work();
}

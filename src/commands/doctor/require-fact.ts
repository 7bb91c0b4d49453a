import { CliError } from "../../errors/cli-error.ts";

/** Thrown by a check that has nothing to check. */
export class Skipped extends Error {
  override readonly name = "Skipped";
}

/** Returns a fact that another check reports on. If it can't be looked up, that check says why, and the caller's is skipped: throws Skipped. */
export async function requireFact<T>(check: string, fact: Promise<T>): Promise<T> {
  try {
    return await fact;
  } catch (error) {
    if (error instanceof CliError) throw new Skipped(`Not looked at: see ${check}.`);
    throw error;
  }
}

/** Makes a missing fact undefined: `fact.catch(ignoreMissing)`. Rethrows anything but CliError and Skipped, since it is a bug. */
export function ignoreMissing(error: unknown): undefined {
  if (error instanceof CliError || error instanceof Skipped) return undefined;
  throw error;
}

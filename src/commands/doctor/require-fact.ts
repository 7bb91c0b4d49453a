import { CliError } from "../../errors/cli-error.ts";

/** Thrown by a check that has nothing to check. */
export class Skipped extends Error {
  override readonly name = "Skipped";
}

/** The reason of a check that needs what another check reports on. */
export function dependsOn(check: string): Skipped {
  return new Skipped(`Skipped: depends on "${check}".`);
}

/** Returns a fact that another check reports on. If it can't be looked up, that check says why, and the caller's is skipped: throws Skipped. */
export async function requireFact<T>(check: string, fact: Promise<T>): Promise<T> {
  return fact.catch((error: unknown) => {
    throw error instanceof CliError ? dependsOn(check) : error;
  });
}

/** Makes a missing fact undefined: `fact.catch(ignoreMissing)`. Rethrows anything but CliError and Skipped, since it is a bug. */
export function ignoreMissing(error: unknown): undefined {
  if (error instanceof CliError || error instanceof Skipped) return undefined;
  throw error;
}

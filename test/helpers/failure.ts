import { expect } from "vitest";
import { CliError } from "../../src/errors/cli-error.ts";

/** The CliError that a promise rejects with; anything else fails the test. */
export async function failure(promise: Promise<unknown>): Promise<CliError> {
  const error = await promise.then(
    () => expect.unreachable("it succeeded"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CliError);
  return error as CliError;
}

import { CliError } from "./cli-error.ts";

/** For `catch`, if a caller can do without the result: undefined for a CliError. Throws any other error, which is a bug. */
export function ignoreCliError(error: unknown): undefined {
  if (error instanceof CliError) return undefined;
  throw error;
}

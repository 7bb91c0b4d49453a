import { ApiError } from "../server/errors.ts";

/** A field of a request, and the rule that it violates. */
export interface Violation {
  readonly field: string;
  readonly description: string;
}

/** Throws Google's error for a request that violates rules; does nothing if the list is empty. */
export function throwViolations(violations: readonly Violation[]): void {
  if (violations.length === 0) return;
  const message = violations.map(({ field, description }) => `${field}: ${description}`).join("\n");
  throw new ApiError("INVALID_ARGUMENT", message, [{ "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: violations }]);
}

import { ApiError } from "../server/errors.ts";

/** A field of a request that breaks a rule, and the rule. */
export interface Violation {
  readonly field: string;
  readonly description: string;
}

/** Throws what Google answers to a request that breaks rules; does nothing where there are none. */
export function refuse(violations: readonly Violation[]): void {
  if (violations.length === 0) return;
  const message = violations.map(({ field, description }) => `${field}: ${description}`).join("\n");
  throw new ApiError("INVALID_ARGUMENT", message, [{ "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: violations }]);
}

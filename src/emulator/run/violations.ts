import { ApiError, invalidArgument } from "../server/errors.ts";
import type { Place } from "./names.ts";

export interface Violation {
  readonly field: string;
  readonly description: string;
}

/** Throws Google's error for a request that violates rules; does nothing if the list is empty. */
export function throwViolations(violations: readonly Violation[]): void {
  if (violations.length === 0) return;
  const message = violations.map(({ field, description }) => `${field}: ${description}`).join("\n");
  throw invalidArgument(message, [{ "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: violations }]);
}

/** Checks that a field's value is in a range, both ends included. */
export function checkRange(field: string, value: number, min: number, max: number, unit = ""): Violation[] {
  return value < min || value > max ? [{ field, description: `Must be between ${min} and ${max}${unit} inclusive.` }] : [];
}

/** The error for a resource that doesn't exist. */
export function resourceNotFound(kind: "SERVICE" | "REVISION" | "OPERATION", { region, project }: Place, name: string): ApiError {
  return new ApiError(
    "NOT_FOUND",
    `Resource '${name}' of kind '${kind}' in region '${region}' in project '${project.projectId}' does not exist.`,
  );
}

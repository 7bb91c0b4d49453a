import type { CliError } from "../../errors/cli-error.ts";
import { skip, warn, type Finding } from "./check.ts";
import { isNotEnabled } from "./facts.ts";

/** The finding of a check that may not look, or has got no answer; undefined where an error is a finding of its own. */
export function unseen(error: CliError): Finding | undefined {
  const { code, message, hint, details } = error;
  const more = { ...(hint && { remedy: hint }), details };
  if (isNotEnabled(error)) return skip(`It cannot be looked at: ${message}`, more);
  if (code === "PERMISSION_DENIED") return skip(`It may not be looked at: ${message}`, more);
  if (code === "UNAVAILABLE" || code === "TIMEOUT") return warn(`It could not be looked at: ${message}`, more);
  return undefined;
}

import { CliError } from "../../errors/cli-error.ts";
import type { LoadFlags } from "./options.ts";
import { failures } from "./report.ts";
import type { Outcome } from "./run-load.ts";
import { showDuration } from "./print-report.ts";

/** Throws LOAD_FAILED where more requests failed, or answers took longer, than the flags allow. */
export function assertWithin({ maxErrors = 0, maxP99Ms }: Pick<LoadFlags, "maxErrors" | "maxP99Ms">, outcome: Outcome): void {
  const { tally, sent } = outcome;
  const failed = failures(outcome);
  const share = sent > 0 ? (failed / sent) * 100 : 0;
  const p99 = tally.latencies.percentile(99);
  const details = { sent, failed, p99_ms: p99 };
  if (share > maxErrors) {
    const statuses = [...tally.statuses].filter(([status]) => status >= 400).map(([status, count]) => `${count} were answered ${status}`);
    const errors = [...tally.errors.values()].map(({ count, sentence }) => `${count} got no answer: ${sentence.replace(/\.$/, "")}`);
    const [most = ""] = [...statuses, ...errors];
    const look = statuses.length > 0 ? "What the service wrote meanwhile: cloudrun-oauth logs. " : "";
    throw new CliError("LOAD_FAILED", `${failed} of ${sent} requests failed; ${maxErrors} % are allowed. ${most}.`, {
      hint: `${look}Where some may fail, say --max-errors 1%`,
      details,
    });
  }
  if (maxP99Ms !== undefined && p99 > maxP99Ms)
    throw new CliError(
      "LOAD_FAILED",
      `One answer of a hundred took longer than ${showDuration(p99)}; --max-p99 allows ${showDuration(maxP99Ms)}.`,
      {
        hint: "cloudrun-oauth logs shows requests with their times",
        details,
      },
    );
}

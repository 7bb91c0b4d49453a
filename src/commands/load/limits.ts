import { CliError } from "../../errors/cli-error.ts";
import type { LoadFlags } from "./options.ts";
import { countFailures } from "./report.ts";
import type { Outcome } from "./run-load.ts";
import { formatDuration } from "./print-report.ts";

/** Throws LOAD_FAILED if more requests failed, or responses took longer, than the flags allow. */
export function assertWithinLimits({ maxErrors = 0, maxP99Ms }: Pick<LoadFlags, "maxErrors" | "maxP99Ms">, outcome: Outcome): void {
  const { stats, sent } = outcome;
  const failed = countFailures(stats);
  const share = sent > 0 ? (failed / sent) * 100 : 0;
  const p99 = stats.latencies.percentile(99);
  const details = { sent, failed, p99_ms: p99 };
  if (share > maxErrors) {
    const statuses = [...stats.statuses].filter(([status]) => status >= 400).map(([status, count]) => `${count} were answered ${status}`);
    const errors = [...stats.errors.values()].map(({ count, message }) => `${count} got no answer: ${message.replace(/\.$/, "")}`);
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
      `One answer of a hundred took longer than ${formatDuration(p99)}; --max-p99 allows ${formatDuration(maxP99Ms)}.`,
      {
        hint: "cloudrun-oauth logs shows requests with their times",
        details,
      },
    );
}

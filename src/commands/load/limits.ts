import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import type { LoadFlags } from "./options.ts";
import { formatLatency } from "./print-report.ts";
import { countFailures } from "./report.ts";
import type { Outcome } from "./run-load.ts";

/** Throws LOAD_FAILED if more requests failed, or responses took longer, than the flags allow. */
export function assertWithinLimits(
  { maxErrors = 0, maxP99Ms }: Pick<LoadFlags, "maxErrors" | "maxP99Ms">,
  { stats, sent }: Outcome,
  service?: string,
): void {
  const failed = countFailures(stats);
  const p99 = stats.latencies.percentile(99);
  const details = { sent, failed, p99_ms: p99 };
  const next = [nextStep("To show the service's logs", "logs", ...(service === undefined ? [] : [service]))];
  if (failed * 100 > maxErrors * sent) {
    const statuses = [...stats.statuses].filter(([status]) => status >= 400).map(([status, count]) => `Status ${status}: ${count}.`);
    const errors = [...stats.errors.values()].map(({ count, message }) => `No response: ${count}. ${message}`);
    throw new CliError("LOAD_FAILED", `${failed} of ${sent} requests failed (limit: ${maxErrors}%).`, {
      hint: `${[...statuses, ...errors].join("\n")}\nTo tolerate some failures, increase --max-errors.`,
      next: statuses.length > 0 ? next : [],
      details,
    });
  }
  if (maxP99Ms !== undefined && p99 > maxP99Ms)
    throw new CliError("LOAD_FAILED", `p99 latency was ${formatLatency(p99)} (limit: ${formatLatency(maxP99Ms)}).`, { next, details });
}

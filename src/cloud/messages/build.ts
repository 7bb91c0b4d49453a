import { CliError } from "../../errors/cli-error.ts";
import type { BuildResult } from "../cloud.ts";

/** The fields of https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds that are read. */
export interface Build {
  readonly id: string;
  readonly status: string;
  readonly statusDetail?: string;
  readonly logUrl?: string;
  readonly logsBucket?: string;
  readonly startTime?: string;
  readonly finishTime?: string;
  readonly options?: { readonly logging?: string };
  readonly source?: { readonly storageSource?: { readonly object?: string } };
  readonly results?: { readonly images?: readonly { readonly name: string; readonly digest: string }[] };
}

/** The statuses of a build that has ended. */
export const FINAL_STATUSES: ReadonlySet<string> = new Set(["SUCCESS", "FAILURE", "INTERNAL_ERROR", "TIMEOUT", "CANCELLED", "EXPIRED"]);

/** How many lines of the log are shown if a build fails. */
export const MAX_LOG_LINES = 20;

/** The last lines of a build's log, which say why it failed. */
export function lastLogLines(log: string): string {
  return log.trimEnd().split("\n").slice(-MAX_LOG_LINES).join("\n");
}

/**
 * The result of a build that has ended. Throws BUILD_FAILED for any status but SUCCESS. `elapsedSeconds` is used if the
 * build has no times.
 */
export function readBuildResult(build: Build, image: string, elapsedSeconds: number): BuildResult {
  if (build.status !== "SUCCESS") throw buildError(build);
  const { startTime, finishTime } = build;
  return {
    id: build.id,
    image,
    digest: build.results?.images?.find(({ digest }) => digest)?.digest ?? "",
    log_url: build.logUrl ?? null,
    duration: startTime && finishTime ? (Date.parse(finishTime) - Date.parse(startTime)) / 1000 : elapsedSeconds,
  };
}

/** The error for a build that failed; `logEnd` is the last lines of its log, if they are known. */
export function buildError({ id, status, statusDetail, logUrl }: Partial<Build>, logEnd?: string, cause?: unknown): CliError {
  return new CliError(
    "BUILD_FAILED",
    `Cloud Build ended the build with ${status ?? "FAILURE"}${statusDetail ? `: ${statusDetail}` : "."}`,
    {
      hint: logUrl ? `Its log: ${logUrl}` : "The reason is in the build's log.",
      cause,
      details: {
        ...(id && { build: id }),
        status: status ?? "FAILURE",
        ...(logUrl && { log_url: logUrl }),
        ...(logEnd && { log_end: logEnd }),
      },
    },
  );
}

/** The error for a build that can't be watched any more: it continues, and its result isn't known. */
export function lostBuildError({ id, logUrl }: Partial<Build>, error: CliError): CliError {
  return error.with({
    hint: `The build ${id} goes on by itself.${logUrl ? ` Its log: ${logUrl}` : ""}`,
    details: { build: id, ...(logUrl && { log_url: logUrl }) },
  });
}

import { CliError } from "../../errors/cli-error.ts";
import type { BuildResult } from "../cloud.ts";

/** https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds, as far as it is read here. */
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

/** The states that a build does not leave again. */
export const FINAL_STATUSES: ReadonlySet<string> = new Set(["SUCCESS", "FAILURE", "INTERNAL_ERROR", "TIMEOUT", "CANCELLED", "EXPIRED"]);

/** How many lines of a log a person is shown where a build has failed. */
export const MAX_LOG_LINES = 20;

/** The lines of a build's log that say why it failed. */
export function lastLogLines(log: string): string {
  return log.trimEnd().split("\n").slice(-MAX_LOG_LINES).join("\n");
}

/** What a build that has ended came to; BUILD_FAILED where that is anything but SUCCESS. `elapsed` in seconds stands in for times that are not told. */
export function readBuildResult(build: Build, image: string, elapsed: number): BuildResult {
  if (build.status !== "SUCCESS") throw buildError(build);
  const { startTime, finishTime } = build;
  return {
    id: build.id,
    image,
    digest: build.results?.images?.find(({ digest }) => digest)?.digest ?? "",
    log_url: build.logUrl ?? null,
    duration: startTime && finishTime ? (Date.parse(finishTime) - Date.parse(startTime)) / 1000 : elapsed,
  };
}

/** The error for a build that did not succeed; `logEnd` is the last lines of its log, where they are known. */
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

/** The error where a build has been lost sight of: it goes on, and its end is not known. */
export function lostBuildError({ id, logUrl }: Partial<Build>, error: CliError): CliError {
  return error.with({
    hint: `The build ${id} goes on by itself.${logUrl ? ` Its log: ${logUrl}` : ""}`,
    details: { build: id, ...(logUrl && { log_url: logUrl }) },
  });
}

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

export const FINAL_STATUSES: ReadonlySet<string> = new Set(["SUCCESS", "FAILURE", "INTERNAL_ERROR", "TIMEOUT", "CANCELLED", "EXPIRED"]);

/** Throws BUILD_FAILED for any status but SUCCESS. `elapsedSeconds` is used if the build has no times. */
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

export function readBuildFailure(output: string): Partial<Build> {
  return {
    id: readBuildId(output),
    status: /completed with status "(\w+)"/.exec(output)?.[1],
    statusDetail: /^BUILD FAILURE: (.+)$/m.exec(output)?.[1],
    logUrl: /Logs are available at \[\s*(\S+?)\s*\]/.exec(output)?.[1],
  };
}

export function readBuildId(output: string): string | undefined {
  return /\/builds\/([\w-]{8,})/.exec(output)?.[1];
}

/** The error for a build that failed; `logEnd` is the last lines of its log. */
export function buildError({ id, status = "FAILURE", statusDetail, logUrl }: Partial<Build>, logEnd?: string): CliError {
  const reason = statusDetail?.replace(/^Build step failure: /, "").replace(/\.$/, "");
  return new CliError("BUILD_FAILED", `Build failed${status === "FAILURE" ? "" : ` (${status})`}${reason ? `: ${reason}` : ""}.`, {
    ...(logUrl && { hint: `Build log: ${logUrl}` }),
    details: { ...(id && { build: id }), status, ...(logUrl && { log_url: logUrl }), ...(logEnd && { log_end: logEnd }) },
  });
}

export function lostBuildError({ id, logUrl }: Pick<Build, "id" | "logUrl">, error: CliError): CliError {
  return error.with({
    hint: `Build ${id} is still running.${logUrl ? ` Build log: ${logUrl}` : ""}`,
    details: { build: id, ...(logUrl && { log_url: logUrl }) },
  });
}

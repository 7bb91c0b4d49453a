import { CliError } from "../errors.ts";
import type { BuildResult } from "./cloud.ts";

/** https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds, as far as it is read here. */
export interface Build {
  readonly id: string;
  readonly status: string;
  readonly statusDetail?: string;
  readonly logUrl?: string;
  readonly logsBucket?: string;
  readonly startTime?: string;
  readonly finishTime?: string;
  readonly results?: { readonly images?: readonly { readonly name: string; readonly digest: string }[] };
}

/** The states that a build does not leave again. */
export const ENDED: ReadonlySet<string> = new Set(["SUCCESS", "FAILURE", "INTERNAL_ERROR", "TIMEOUT", "CANCELLED", "EXPIRED"]);

/** What a build that has ended came to; BUILD_FAILED where that is anything but SUCCESS. `elapsed` in seconds stands in for times that are not told. */
export function readBuild(build: Build, image: string, elapsed: number): BuildResult {
  if (build.status !== "SUCCESS") {
    throw new CliError(
      "BUILD_FAILED",
      `Cloud Build ended the build with ${build.status}${build.statusDetail ? `: ${build.statusDetail}` : "."}`,
      {
        hint: build.logUrl ? `Its log: ${build.logUrl}` : "The reason is in the build's log.",
        details: { build: build.id, status: build.status },
      },
    );
  }
  const { startTime, finishTime } = build;
  return {
    id: build.id,
    image,
    digest: build.results?.images?.find(({ digest }) => digest)?.digest ?? "",
    log_url: build.logUrl ?? null,
    duration: startTime && finishTime ? (Date.parse(finishTime) - Date.parse(startTime)) / 1000 : elapsed,
  };
}

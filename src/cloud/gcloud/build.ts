import { CliError } from "../../errors/cli-error.ts";
import { poll } from "../../http/poll.ts";
import { openBuildLog, type BuildLog } from "../build-log.ts";
import { FINAL_STATUSES, lostBuildError, readBuildId, readBuildResult, type Build } from "../messages/build.ts";
import type { BuildOptions, BuildResult } from "../cloud.ts";
import type { CloudContext } from "../cloud-context.ts";
import { isCreatedOnDemand, repositoryNotFound, parseRepository, type Repository } from "../repository.ts";
import { withRetry } from "../retry.ts";
import { defineVerb, type Verb } from "../verb.ts";
import { createRepositoryArgs, repositoryArgs } from "./artifact-registry.ts";
import { jsonCommand, parseGcloudJson } from "./command.ts";
import { gcloudLine, type Gcloud } from "./process.ts";

const POLL_PAUSE_MS = 3000;

export function buildVerb(
  gcloud: Gcloud,
  { terminal, signal }: Pick<CloudContext, "terminal" | "signal">,
): Verb<BuildOptions, BuildResult> {
  return defineVerb({
    plan(options) {
      const repository = parseRepository(options.image);
      const commands = [
        ...(repository ? [repositoryArgs("describe", repository)] : []),
        ...(repository && isCreatedOnDemand(repository) ? [createRepositoryArgs(repository, options)] : []),
        submitArgs(options),
      ];
      return commands.map((args) => gcloudLine(args));
    },
    async run(options) {
      const repository = parseRepository(options.image);
      if (repository) await ensureRepository(gcloud, repository, options);
      const submitted = performance.now();
      const log = openBuildLog(terminal, options.image, options.tell);
      const output = splitOutput(log);
      let build: Build;
      try {
        build = parseGcloudJson(
          output.json(await gcloud(submitArgs(options), { onLine: output.add, showsProgress: true, tell: options.tell })),
        );
      } catch (error) {
        if (signal.aborted || !(error instanceof CliError)) throw error;
        if (error.code === "BUILD_FAILED") {
          const logEnd = log.fail();
          throw error.with({ details: logEnd ? { log_end: logEnd } : {} });
        }
        const stderr = error.cause instanceof Error ? error.cause.message : "";
        const id = readBuildId(stderr);
        if (!id) throw error;
        // Streaming the log needs the Viewer role, and building doesn't.
        const isUnreadable = /can only stream logs|does not have storage\.objects\.get|stream(?:ing)? (?:the )?logs?/i.test(stderr);
        terminal.warn(
          `gcloud ${isUnreadable ? "can't read the build log" : "lost the connection to the build"}. The build is still running.`,
        );
        build = await waitForBuild(gcloud, options.project, id, signal);
      }
      return readBuildResult(build, options.image, (performance.now() - submitted) / 1000);
    },
  });
}

/** gcloud's configuration can name a region for builds, so the command names one: every project has the global region. */
function submitArgs({ directory, image, project, gcloudFlags }: BuildOptions): string[] {
  return jsonCommand(["builds", "submit", directory, "--tag", image], { project, region: "global" }, gcloudFlags);
}

async function ensureRepository(gcloud: Gcloud, repository: Repository, options: BuildOptions): Promise<void> {
  try {
    await gcloud(repositoryArgs("describe", repository));
  } catch (error) {
    // An account that can push to a repository need not be able to read it; the push finds out.
    if (error instanceof CliError && error.code === "PERMISSION_DENIED" && error.subject?.kind === "permission") return;
    if (!(error instanceof CliError && error.code === "NOT_FOUND")) throw error;
    if (!isCreatedOnDemand(repository)) throw repositoryNotFound(repository, error);
    await gcloud(createRepositoryArgs(repository, options)).catch((problem: unknown) => {
      // Another client created it at the same moment.
      if (!(problem instanceof CliError && problem.code === "CONFLICT")) throw problem;
    });
  }
}

/** Waits for a build that gcloud has submitted but no longer watches. */
async function waitForBuild(gcloud: Gcloud, project: string, id: string, signal: AbortSignal): Promise<Build> {
  const describe = () => gcloud(jsonCommand(["builds", "describe", id], { project, region: "global" }));
  return poll(
    async () => {
      const stdout = await withRetry(describe, { signal }).catch((error: unknown) => {
        throw error instanceof CliError && !signal.aborted ? lostBuildError({ id }, error) : error;
      });
      const build = parseGcloudJson<Build>(stdout);
      return FINAL_STATUSES.has(build.status) ? build : undefined;
    },
    { signal, firstPauseMs: POLL_PAUSE_MS },
  );
}

/** Splits gcloud's stdout into the build's log and the JSON at the end, which begins with the last line that is a lone brace. */
function splitOutput(log: BuildLog) {
  let pending: string[] = [];
  // gcloud's own frame is not part of the log.
  const addLine = (line: string) => {
    if (!/^-{20}|^$/.test(line)) log.add(line);
  };
  return {
    add(line: string): void {
      if (line === "{") {
        pending.forEach(addLine);
        pending = [line];
      } else if (pending.length > 0) pending.push(line);
      else addLine(line);
    },
    json: (stdout: string) => stdout.slice(stdout.startsWith("{\n") ? 0 : stdout.lastIndexOf("\n{\n") + 1),
  };
}

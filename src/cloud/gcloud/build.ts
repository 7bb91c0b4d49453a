import { CliError } from "../../errors/cli-error.ts";
import { poll } from "../../http/poll.ts";
import { buildError, FINAL_STATUSES, lastLogLines, MAX_LOG_LINES, lostBuildError, readBuildResult, type Build } from "../messages/build.ts";
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
      const output = splitOutput((line) => {
        if (!terminal.json) terminal.note(line);
      });
      let build: Build;
      try {
        build = parseGcloudJson(output.json(await gcloud(submitArgs(options), { onLine: output.add })));
      } catch (error) {
        if (signal.aborted || !(error instanceof CliError)) throw error;
        const stderr = error.cause instanceof Error ? error.cause.message : "";
        const id = /\/builds\/([\w-]{8,})/.exec(stderr)?.[1];
        if (error.code === "BUILD_FAILED")
          throw buildError({ ...readFailure(stderr), ...(id && { id }) }, lastLogLines(output.log()), error.cause);
        if (!id) throw error;
        terminal.warn(
          `${isLogUnreadable(stderr) ? "gcloud may not read the build's log" : "gcloud has lost sight of the build"}; the build itself goes on.`,
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
    await gcloud(repositoryArgs("describe", repository), { isProbe: true });
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

/** What gcloud's stderr says about a build that failed. */
function readFailure(stderr: string): Partial<Build> {
  return {
    status: /completed with status "(\w+)"/.exec(stderr)?.[1],
    statusDetail: /^BUILD FAILURE: (.+)$/m.exec(stderr)?.[1],
    logUrl: /Logs are available at \[\s*(\S+?)\s*\]/.exec(stderr)?.[1],
  };
}

/** Whether gcloud gave up because it can't stream the log: that needs the Viewer role, which building does not. */
function isLogUnreadable(stderr: string): boolean {
  return /can only stream logs|does not have storage\.objects\.get|stream(?:ing)? (?:the )?logs?/i.test(stderr);
}

/**
 * Waits for a build that gcloud has submitted but no longer watches. Polling only in that case costs nothing if the log
 * is readable.
 */
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

/**
 * Splits gcloud's stdout into the build's log, which it prints first, and the JSON at the end, which begins with the
 * last line that is a lone brace.
 */
function splitOutput(show: (line: string) => void) {
  let pending: string[] = [];
  let lastShown: string[] = [];
  const showLine = (line: string) => {
    show(line);
    // gcloud's own frame is not part of the log.
    if (!/^-{20}|^$/.test(line)) lastShown = [...lastShown.slice(-MAX_LOG_LINES), line];
  };
  return {
    add(line: string): void {
      if (line === "{") {
        pending.forEach(showLine);
        pending = [line];
      } else if (pending.length > 0) pending.push(line);
      else showLine(line);
    },
    json: (stdout: string) => stdout.slice(stdout.startsWith("{\n") ? 0 : stdout.lastIndexOf("\n{\n") + 1),
    log: () => [...lastShown, ...pending].join("\n"),
  };
}

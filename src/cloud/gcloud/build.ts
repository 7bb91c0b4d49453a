import type { CloudContext } from "../cloud-context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { pause, withRetry } from "../retry.ts";
import { buildFailed, ENDED, lastLines, LINES, lostSight, readBuild, type Build } from "../api/build-message.ts";
import type { BuildOptions, BuildResult } from "../cloud.ts";
import { labelList } from "./images.ts";
import type { Gcloud } from "./process.ts";
import { isMadeWhereMissing, missingRepository, parseRepository, type Repository } from "../repository.ts";

/** Milliseconds between two looks at a build. */
const PAUSE = 3000;

/** The lines of a build, in order; the second is left out where the repository is there. */
export function planBuild(options: BuildOptions): string[][] {
  const repository = parseRepository(options.image);
  return [
    ...(repository
      ? [repositoryLine("describe", repository), ...(isMadeWhereMissing(repository) ? [repositoryLine("create", repository, options)] : [])]
      : []),
    submitLine(options),
  ];
}

export function createBuild(gcloud: Gcloud, { terminal, signal }: Pick<CloudContext, "terminal" | "signal">) {
  return async (options: BuildOptions): Promise<BuildResult> => {
    const repository = parseRepository(options.image);
    if (repository) await ensureRepository(gcloud, repository, options);
    const submitted = performance.now();
    const shown = splitter((line) => {
      if (!terminal.json) terminal.note(line);
    });
    let build: Build;
    try {
      build = JSON.parse(shown.rest(await gcloud(submitLine(options), { onLine: shown.take }))) as Build;
    } catch (error) {
      if (signal.aborted || !(error instanceof CliError)) throw error;
      const end = lastLines(shown.log());
      const said = error.cause instanceof Error ? error.cause.message : "";
      const id = /\/builds\/([\w-]{8,})/.exec(said)?.[1];
      if (error.code === "BUILD_FAILED") throw buildFailed({ ...readFailure(said), ...(id && { id }) }, end, error.cause);
      if (!id) throw error;
      terminal.warn(
        `${unreadable(said) ? "gcloud may not read the build's log" : "gcloud has lost sight of the build"}; the build itself goes on.`,
      );
      build = await finished(gcloud, options.project, id, signal);
    }
    return readBuild(build, options.image, (performance.now() - submitted) / 1000);
  };
}

/** Said outright, since gcloud's own configuration may name a region for builds: the global one is there for every project. */
function inPlace(project: string): string[] {
  return ["--project", project, "--region", "global", "--quiet", "--format=json"];
}

function submitLine({ directory, image, project, gcloudFlags = [] }: BuildOptions): string[] {
  return ["builds", "submit", directory, "--tag", image, ...inPlace(project), ...gcloudFlags];
}

type Labelled = Pick<BuildOptions, "repositoryLabels">;

export function repositoryLine(
  verb: "describe" | "create",
  { name, project, location }: Repository,
  { repositoryLabels: labels }: Labelled = {},
): string[] {
  const format = verb === "create" ? ["--repository-format=docker", ...(labels ? ["--labels", labelList(labels)] : [])] : [];
  return ["artifacts", "repositories", verb, name, ...format, "--location", location, "--project", project, "--quiet", "--format=json"];
}

async function ensureRepository(gcloud: Gcloud, repository: Repository, options: Labelled): Promise<void> {
  try {
    await gcloud(repositoryLine("describe", repository), { isProbe: true });
  } catch (error) {
    // Who may push need not be allowed to look: the push will tell.
    if (error instanceof CliError && error.code === "PERMISSION_DENIED" && error.subject?.kind === "permission") return;
    if (!(error instanceof CliError && error.code === "NOT_FOUND")) throw error;
    if (!isMadeWhereMissing(repository)) throw missingRepository(repository, error);
    await gcloud(repositoryLine("create", repository, options)).catch((problem: unknown) => {
      // Somebody else made it at the same moment.
      if (!(problem instanceof CliError && problem.code === "CONFLICT")) throw problem;
    });
  }
}

/** What gcloud says on stderr of a build that did not succeed. */
function readFailure(said: string): Partial<Build> {
  return {
    status: /completed with status "(\w+)"/.exec(said)?.[1],
    statusDetail: /^BUILD FAILURE: (.+)$/m.exec(said)?.[1],
    logUrl: /Logs are available at \[\s*(\S+?)\s*\]/.exec(said)?.[1],
  };
}

/** Whether gcloud gave up because it may not stream the log: that needs the Viewer role, which building does not. */
function unreadable(said: string): boolean {
  return /can only stream logs|does not have storage\.objects\.get|stream(?:ing)? (?:the )?logs?/i.test(said);
}

/**
 * The build that gcloud has made and does not watch any more: its own end is what counts. Following the log and polling only then costs nothing where the
 * log can be read.
 */
async function finished(gcloud: Gcloud, project: string, id: string, signal: AbortSignal): Promise<Build> {
  for (;;) {
    const look = () => gcloud(["builds", "describe", id, ...inPlace(project)]);
    const build = JSON.parse(
      await withRetry(look, { signal }).catch((error: unknown) => {
        throw error instanceof CliError && !signal.aborted ? lostSight({ id }, error) : error;
      }),
    ) as Build;
    if (ENDED.has(build.status)) return build;
    await pause(PAUSE, signal);
  }
}

/** Tells the log, which gcloud prints first, from the JSON at the end of its stdout: that begins with the last line that is a lone brace. */
function splitter(show: (line: string) => void) {
  let held: string[] = [];
  let last: string[] = [];
  const tell = (line: string) => {
    show(line);
    // gcloud's own frame is no part of the log.
    if (!/^-{20}|^$/.test(line)) last = [...last.slice(-LINES), line];
  };
  return {
    take(line: string): void {
      if (line === "{") {
        held.forEach(tell);
        held = [line];
      } else if (held.length > 0) held.push(line);
      else tell(line);
    },
    rest: (stdout: string) => stdout.slice(stdout.startsWith("{\n") ? 0 : stdout.lastIndexOf("\n{\n") + 1),
    /** The end of the log. */
    log: () => [...last, ...held].join("\n"),
  };
}

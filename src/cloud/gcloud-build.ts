import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { ENDED, readBuild, type Build } from "./build.ts";
import type { BuildOptions, BuildResult } from "./cloud.ts";
import { labelList } from "./gcloud-images.ts";
import type { Gcloud } from "./gcloud-process.ts";
import { DEFAULT_REPOSITORY, missingRepository, parseRepository, type Repository } from "./repository.ts";

/** The lines of a build, in order; the second is left out where the repository is there. */
export function planBuild(options: BuildOptions): string[][] {
  const repository = parseRepository(options.image);
  return [
    ...(repository
      ? [
          repositoryLine("describe", repository),
          ...(repository.name === DEFAULT_REPOSITORY ? [repositoryLine("create", repository, options)] : []),
        ]
      : []),
    submitLine(options),
  ];
}

export function createBuild(gcloud: Gcloud, { terminal, signal }: Pick<Context, "terminal" | "signal">) {
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
      const id = unwatchedBuild(error);
      if (!id) throw error;
      terminal.warn("gcloud may not read the build's log; the build itself goes on.");
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
    if (error instanceof CliError && error.code === "PERMISSION_DENIED" && "permission" in error.details) return;
    if (!(error instanceof CliError && error.code === "NOT_FOUND")) throw error;
    if (repository.name !== DEFAULT_REPOSITORY) throw missingRepository(repository, error);
    await gcloud(repositoryLine("create", repository, options)).catch((problem: unknown) => {
      // Somebody else made it at the same moment.
      if (!(problem instanceof CliError && problem.code === "CONFLICT")) throw problem;
    });
  }
}

/**
 * The build that was made, where gcloud gave up because it may not stream the log: that needs the Viewer role, which building does
 * not, so the build's own end is what counts. Following the log and polling only then costs nothing where the log can be read.
 */
function unwatchedBuild(error: unknown): string | undefined {
  const text = error instanceof CliError && error.cause instanceof Error ? error.cause.message : "";
  return /can only stream logs|does not have storage\.objects\.get|stream(?:ing)? (?:the )?logs?/i.test(text)
    ? /\/builds\/([\w-]{8,})/.exec(text)?.[1]
    : undefined;
}

async function finished(gcloud: Gcloud, project: string, id: string, signal: AbortSignal): Promise<Build> {
  for (;;) {
    const build = JSON.parse(await gcloud(["builds", "describe", id, ...inPlace(project)])) as Build;
    if (ENDED.has(build.status)) return build;
    await sleep(3000, undefined, { signal }).catch(() => {});
  }
}

/** Tells the log, which gcloud prints first, from the JSON at the end of its stdout: that begins with the last line that is a lone brace. */
function splitter(show: (line: string) => void) {
  let held: string[] = [];
  return {
    take(line: string): void {
      if (line === "{") {
        held.forEach(show);
        held = [line];
      } else if (held.length > 0) held.push(line);
      else show(line);
    },
    rest: (stdout: string) => stdout.slice(stdout.startsWith("{\n") ? 0 : stdout.lastIndexOf("\n{\n") + 1),
  };
}

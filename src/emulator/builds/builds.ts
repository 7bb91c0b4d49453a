import { entityNotFound } from "../server/errors.ts";
import type { Build } from "../state/resources.ts";
import type { Runtime } from "../runtime.ts";
import { pause } from "../poll.ts";
import { BuildFailure } from "./build-failure.ts";
import { removeStaleBuildFolders } from "./build-folder.ts";
import { openBuildLog, type BuildLog } from "./build-log.ts";
import { parseDurationSeconds, type BuildStep } from "./build-request.ts";
import { ensureLogsBucket, newBuild } from "./new-build.ts";
import { removeUnknownImages } from "../artifact-registry/images.ts";
import { runBuild, type BuildChange, type AbortReason } from "./run-build.ts";

export interface Builds {
  /** Queues the build of a create request and returns immediately. Throws ApiError for an invalid request. */
  create(project: string, location: string, body: Readonly<Record<string, unknown>>): Build;
  /** Cancels an unfinished build; resolves when it has ended. */
  cancel(build: Build): Promise<Build>;
  /** Restarts the builds that an earlier run of the emulator didn't finish. Call it once, before the first request. */
  resume(): void;
  /** Stops running builds; the next `resume` restarts them. */
  close(): Promise<void>;
}

const MAX_CONCURRENT_BUILDS = 2;

/** The pause before storing a build's result again, after a full disk for example. */
const STORE_RETRY_PAUSE_MS = 1000;

interface RunningBuild {
  readonly controller: AbortController;
  readonly ended: Promise<void>;
}

export function createBuilds(runtime: Pick<Runtime, "state" | "engine" | "now" | "log">): Builds {
  const { state, now, log } = runtime;
  const queue: string[] = [];
  const running = new Map<string, RunningBuild>();
  let isClosing = false;

  const updateBuild = (key: string, changes: BuildChange): Build => {
    const build = { ...(state.builds.get(key) as Build), ...changes };
    state.builds.set(key, build);
    return build;
  };

  const startNext = (): void => {
    while (!isClosing && running.size < MAX_CONCURRENT_BUILDS) {
      const key = queue.shift();
      if (key === undefined) return;
      if (!isFinished(state.builds.get(key) as Build)) start(key);
    }
  };

  const start = (key: string): void => {
    const controller = new AbortController();
    const ended = execute(key, controller)
      .catch((error: unknown) => log(`Build ${key}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`))
      .finally(() => {
        running.delete(key);
        startNext();
      });
    running.set(key, { controller, ended });
  };

  const execute = async (key: string, controller: AbortController): Promise<void> => {
    const { signal } = controller;
    const build = state.builds.get(key) as Build;
    const timeout = setTimeout(
      () => controller.abort("timed out" satisfies AbortReason),
      parseDurationSeconds(build["timeout"] as string) * 1000,
    );
    let buildLog: BuildLog | undefined;
    let result: BuildChange;
    try {
      ensureLogsBucket(runtime, build.projectId);
      buildLog = openBuildLog(runtime, build);
      updateBuild(key, { status: "WORKING", startTime: new Date(now()).toISOString() });
      result = await runBuild(build, { runtime, log: buildLog.write, update: (changes) => updateBuild(key, changes), signal });
    } catch (error) {
      if (signal.reason === ("closing" satisfies AbortReason)) return;
      result = toFailure(error, signal.reason as AbortReason | undefined, build, log);
      buildLog?.write(`${result["status"] === "FAILURE" ? "ERROR" : String(result["status"])}\nERROR: ${String(result["statusDetail"])}\n`);
    } finally {
      clearTimeout(timeout);
      // Readers stop reading the log when the build is finished, so the log is completed first.
      buildLog?.close();
    }
    await storeWithRetry(() => updateBuild(key, { ...result, finishTime: new Date(now()).toISOString() }));
  };

  /** A build must not stay WORKING forever because the disk was full when it ended. */
  const storeWithRetry = async (work: () => void): Promise<void> => {
    for (;;) {
      try {
        return work();
      } catch (error) {
        log(`Couldn't store the result of a build: ${String(error)}`);
        if (isClosing) return;
        await pause(STORE_RETRY_PAUSE_MS);
      }
    }
  };

  return {
    create(project, location, body) {
      const build = newBuild(runtime, project, location, body);
      const key = `${build.projectId}/${build.id}`;
      state.builds.set(key, build);
      queue.push(key);
      queueMicrotask(startNext);
      return build;
    },

    async cancel({ projectId, id }) {
      const key = `${projectId}/${id}`;
      const runningBuild = running.get(key);
      if (runningBuild) {
        runningBuild.controller.abort("cancelled" satisfies AbortReason);
        await runningBuild.ended;
      }
      const build = state.builds.get(key) as Build;
      return isFinished(build) ? build : updateBuild(key, { status: "CANCELLED", finishTime: new Date(now()).toISOString() });
    },

    resume() {
      removeStaleBuildFolders(state).catch((error: unknown) => log(`Couldn't remove files of interrupted builds: ${String(error)}`));
      removeUnknownImages(state);
      const unfinished = state.builds.list().filter((build) => !isFinished(build));
      unfinished.sort((a, b) => (String(a["createTime"]) < String(b["createTime"]) ? -1 : 1));
      for (const { projectId, id, ...build } of unfinished) {
        const key = `${projectId}/${id}`;
        updateBuild(key, {
          status: "QUEUED",
          steps: (build["steps"] as BuildStep[]).map(({ status: _status, timing: _timing, exitCode: _exitCode, ...step }) => step),
        });
        queue.push(key);
      }
      startNext();
    },

    async close() {
      isClosing = true;
      for (const { controller } of running.values()) controller.abort("closing" satisfies AbortReason);
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
  };
}

export function isFinished({ status }: Build): boolean {
  return status !== "QUEUED" && status !== "WORKING";
}

/** Finds a project's build by its ID. Throws ApiError NOT_FOUND. */
export function findBuild({ state }: Pick<Runtime, "state">, projectId: string, id: string): Build {
  const build = state.builds.get(`${projectId}/${id}`);
  if (!build) throw entityNotFound();
  return build;
}

function toFailure(error: unknown, abortReason: AbortReason | undefined, build: Build, log: (line: string) => void): BuildChange {
  if (abortReason === "cancelled") return { status: "CANCELLED", statusDetail: "context canceled" };
  if (abortReason === "timed out")
    return { status: "TIMEOUT", statusDetail: `build timed out after ${String(build["timeout"])}: context deadline exceeded` };
  if (error instanceof BuildFailure) {
    const { type, message } = error;
    return { status: "FAILURE", statusDetail: message, failureInfo: { type, detail: message } };
  }
  log(`Build ${build.id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return { status: "INTERNAL_ERROR", statusDetail: `internal error in the emulator: ${(error as Error).message}` };
}

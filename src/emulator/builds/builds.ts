import { ApiError } from "../server/errors.ts";
import type { Build } from "../state/resources.ts";
import type { Runtime } from "../runtime.ts";
import { BuildFailure } from "./build-failure.ts";
import { sweepBuildFolders } from "./build-folder.ts";
import { openBuildLog, type BuildLog } from "./build-log.ts";
import { durationSeconds, type BuildStep } from "./build-request.ts";
import { ensureLogsBucket, newBuild } from "./new-build.ts";
import { sweepImages } from "./registry.ts";
import { runBuild, type BuildChange, type Ending } from "./run-build.ts";

/** Cloud Build's builds: made, carried out, and remembered. */
export interface Builds {
  /** Starts a build as a create request asks; returns as soon as it is queued. Throws ApiError for a request that makes no sense. */
  create(project: string, location: string, body: Readonly<Record<string, unknown>>): Build;
  /** Ends a build that has not ended; returns when it has. */
  cancel(build: Build): Promise<Build>;
  /** Takes up the builds that an earlier run of the emulator left, from their source. To be called once, before the first request. */
  resume(): void;
  /** Stops what runs; `resume` takes it up. */
  close(): Promise<void>;
}

const MOST_AT_ONCE = 2;

/** Milliseconds until the state is asked again to take a build's end that it could not, as on a full disk. */
const RETRY = 1000;

interface Running {
  readonly controller: AbortController;
  readonly ended: Promise<void>;
}

export function createBuilds(runtime: Pick<Runtime, "state" | "engine" | "now" | "log">): Builds {
  const { state, now, log } = runtime;
  const queue: string[] = [];
  const running = new Map<string, Running>();
  let closing = false;

  const change = (key: string, changed: BuildChange): Build => {
    const build = { ...(state.builds.get(key) as Build), ...changed };
    state.builds.set(key, build);
    return build;
  };

  const startNext = (): void => {
    while (!closing && running.size < MOST_AT_ONCE) {
      const key = queue.shift();
      if (key === undefined) return;
      if (!isOver(state.builds.get(key) as Build)) start(key);
    }
  };

  const start = (key: string): void => {
    const controller = new AbortController();
    const ended = carryOut(key, controller)
      .catch((error: unknown) => log(`Build ${key}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`))
      .finally(() => {
        running.delete(key);
        startNext();
      });
    running.set(key, { controller, ended });
  };

  const carryOut = async (key: string, controller: AbortController): Promise<void> => {
    const { signal } = controller;
    const build = state.builds.get(key) as Build;
    const limit = setTimeout(() => controller.abort("timed out" satisfies Ending), durationSeconds(build["timeout"] as string) * 1000);
    let buildLog: BuildLog | undefined;
    let end: BuildChange;
    try {
      ensureLogsBucket(runtime, build.projectId);
      buildLog = openBuildLog(runtime, build);
      change(key, { status: "WORKING", startTime: new Date(now()).toISOString() });
      end = await runBuild(build, { runtime, log: buildLog.write, update: (changed) => change(key, changed), signal });
    } catch (error) {
      if (signal.reason === ("closing" satisfies Ending)) return;
      end = failure(error, signal.reason as Ending | undefined, build, log);
      buildLog?.write(`${end["status"] === "FAILURE" ? "ERROR" : String(end["status"])}\nERROR: ${String(end["statusDetail"])}\n`);
    } finally {
      clearTimeout(limit);
      // The log is whole before the build is known to be over: its readers stop there.
      buildLog?.close();
    }
    await persist(() => change(key, { ...end, finishTime: new Date(now()).toISOString() }));
  };

  /** A build must not stay WORKING for good because the disk was full when it ended. */
  const persist = async (work: () => void): Promise<void> => {
    for (;;) {
      try {
        return work();
      } catch (error) {
        log(`The end of a build could not be stored: ${String(error)}`);
        if (closing) return;
        await new Promise((resolve) => setTimeout(resolve, RETRY));
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
      const found = running.get(key);
      if (found) {
        found.controller.abort("cancelled" satisfies Ending);
        await found.ended;
      }
      const build = state.builds.get(key) as Build;
      return isOver(build) ? build : change(key, { status: "CANCELLED", finishTime: new Date(now()).toISOString() });
    },

    resume() {
      sweepBuildFolders(state).catch((error: unknown) => log(`What a crash left of builds could not be removed: ${String(error)}`));
      sweepImages(state);
      const left = state.builds.list().filter((build) => !isOver(build));
      left.sort((a, b) => (String(a["createTime"]) < String(b["createTime"]) ? -1 : 1));
      for (const { projectId, id, ...build } of left) {
        const key = `${projectId}/${id}`;
        change(key, {
          status: "QUEUED",
          steps: (build["steps"] as BuildStep[]).map(({ status: _status, timing: _timing, exitCode: _exitCode, ...step }) => step),
        });
        queue.push(key);
      }
      startNext();
    },

    async close() {
      closing = true;
      for (const { controller } of running.values()) controller.abort("closing" satisfies Ending);
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
  };
}

/** True for a build that has ended, in whatever way. */
export function isOver({ status }: Build): boolean {
  return status !== "QUEUED" && status !== "WORKING";
}

/** A project's build by its id. */
export function findBuild({ state }: Pick<Runtime, "state">, projectId: string, id: string): Build {
  const build = state.builds.get(`${projectId}/${id}`);
  if (!build) throw new ApiError("NOT_FOUND", "Requested entity was not found.");
  return build;
}

function failure(error: unknown, ending: Ending | undefined, build: Build, log: (line: string) => void): BuildChange {
  if (ending === "cancelled") return { status: "CANCELLED", statusDetail: "context canceled" };
  if (ending === "timed out")
    return { status: "TIMEOUT", statusDetail: `build timed out after ${String(build["timeout"])}: context deadline exceeded` };
  if (error instanceof BuildFailure) {
    const { type, message } = error;
    return { status: "FAILURE", statusDetail: message, failureInfo: { type, detail: message } };
  }
  log(`Build ${build.id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return { status: "INTERNAL_ERROR", statusDetail: `the emulator could not carry out the build: ${(error as Error).message}` };
}

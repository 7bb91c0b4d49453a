import { rm } from "node:fs/promises";
import { join } from "node:path";
import { BuildError } from "../engine/engine.ts";
import type { Build } from "../state/resources.ts";
import type { Runtime } from "../runtime.ts";
import { BuildFailure } from "./build-failure.ts";
import { createBuildFolder } from "./build-folder.ts";
import { prefixLines } from "./build-log.ts";
import { parseBuildRequest, type BuildRequest } from "./build-request.ts";
import { pushBuiltImage } from "./steps/docker-step.ts";
import { fetchSource } from "./fetch-source.ts";
import { runStep } from "./steps/run-step.ts";
import type { Workspace } from "./workspace.ts";

/** Changes to a Build message, in Google's spelling. */
export type BuildChange = Readonly<Record<string, unknown>>;

/** Why a build is stopped: the reason of its aborted signal. */
export type AbortReason = "cancelled" | "timed out" | "closing";

interface BuildRun extends Pick<Workspace, "runtime" | "log" | "signal"> {
  readonly update: (change: BuildChange) => void;
}

/** Returns the final changes of a successful build. Throws a BuildFailure, or the AbortReason of `signal`. */
export async function runBuild(build: Build, run: BuildRun): Promise<BuildChange> {
  const { runtime, log, signal } = run;
  const request = parseBuildRequest(build);
  const folder = await createBuildFolder(runtime.state, build.id);
  const workspace: Workspace = { runtime, folder, images: new Map(), log, signal };
  const timing: Record<string, object> = {};
  const phase = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    log(`${name}\n`);
    const startTime = timestamp(runtime);
    const result = await work();
    timing[name] = { startTime, endTime: timestamp(runtime) };
    return result;
  };

  log(`starting build "${build.id}"\n\n`);
  try {
    await phase("FETCHSOURCE", () => fetchSource(runtime.state, request.source?.storageSource, join(folder, "workspace"), log));
    await phase("BUILD", () => runSteps(request, workspace, run.update));
    const images =
      request.images.length === 0
        ? []
        : await phase("PUSH", async () => request.images.map((reference) => pushResult(reference, workspace)));
    signal.throwIfAborted();
    log("DONE\n");
    return { status: "SUCCESS", timing, results: { images } };
  } finally {
    // An extraction that failed can still be writing files.
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

// Unlike Cloud Run: build steps run one after the other; waitFor is ignored.
async function runSteps({ steps }: BuildRequest, workspace: Workspace, update: BuildRun["update"]): Promise<void> {
  const { runtime, log, signal } = workspace;
  const hasSeveralSteps = steps.length > 1;
  const shown: object[] = [...steps];
  for (const [number, step] of steps.entries()) {
    signal.throwIfAborted();
    const label = `Step #${number}${step.id ? ` - "${step.id}"` : ""}`;
    const stepLog = hasSeveralSteps ? prefixLines(`${label}: `, log) : log;
    if (hasSeveralSteps) log(`Starting ${label}\n`);
    const startTime = timestamp(runtime);
    const show = (changes: BuildChange): void => {
      shown[number] = { ...step, ...changes };
      update({ steps: [...shown] });
    };
    const end = (status: string, changes: BuildChange = {}): void =>
      show({ status, timing: { startTime, endTime: timestamp(runtime) }, ...changes });
    show({ status: "WORKING", timing: { startTime } });
    try {
      stepLog(`Already have image (with digest): ${step.name}\n`);
      await runStep(step, { ...workspace, log: stepLog });
    } catch (error) {
      if (signal.aborted) end(signal.reason === ("timed out" satisfies AbortReason) ? "TIMEOUT" : "CANCELLED");
      signal.throwIfAborted();
      if (!(error instanceof BuildError)) throw error;
      end("FAILURE", { exitCode: 1 });
      stepLog(`${error.message}\n`);
      throw new BuildFailure("USER_BUILD_STEP", `build step ${number} "${step.name}" failed: step exited with non-zero status: 1`);
    }
    end("SUCCESS");
    if (hasSeveralSteps) log(`Finished ${label}\n`);
  }
}

function pushResult(reference: string, workspace: Workspace): object {
  const { runtime, log } = workspace;
  const startTime = timestamp(runtime);
  log(`Pushing ${reference}\n`);
  try {
    const { digest } = pushBuiltImage(reference, workspace);
    return { name: reference, digest, pushTiming: { startTime, endTime: timestamp(runtime) } };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    log(`${error.message}\n`);
    const isMissing = error.message.startsWith("An image does not exist locally");
    throw new BuildFailure(isMissing ? "PUSH_IMAGE_NOT_FOUND" : "PUSH_FAILED", `failed to push ${reference}: ${error.message}`);
  }
}

function timestamp({ now }: Pick<Runtime, "now">): string {
  return new Date(now()).toISOString();
}

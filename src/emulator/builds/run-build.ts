import { rm } from "node:fs/promises";
import { join } from "node:path";
import { BuildError } from "../engine/engine.ts";
import type { Build } from "../state/resources.ts";
import type { Runtime } from "../runtime.ts";
import { BuildFailure } from "./build-failure.ts";
import { makeBuildFolder } from "./build-folder.ts";
import { prefixLines } from "./build-log.ts";
import { parseBuildRequest, type BuildRequest, type BuildStep } from "./build-request.ts";
import { push } from "./steps/docker-step.ts";
import { fetchSource } from "./source.ts";
import { runStep } from "./steps/run-step.ts";
import type { Workspace } from "./workspace.ts";

/** A change to a Build message, in Google's spelling. */
export type BuildChange = Readonly<Record<string, unknown>>;

/** Why a build is stopped: the reason that its signal is aborted with. */
export type Ending = "cancelled" | "timed out" | "closing";

interface Run {
  readonly runtime: Pick<Runtime, "state" | "engine" | "now">;
  readonly log: (text: string) => void;
  /** Makes the build's progress known. */
  readonly update: (change: BuildChange) => void;
  readonly signal: AbortSignal;
}

/** Carries out a build: source, steps, push. Returns what the build is when it has succeeded; throws a BuildFailure, or the Ending that aborted `signal`. */
export async function runBuild(build: Build, run: Run): Promise<BuildChange> {
  const { runtime, log, signal } = run;
  const request = parseBuildRequest(build);
  const folder = await makeBuildFolder(runtime.state, build.id);
  const workspace: Workspace = { folder, images: new Map(), signal };
  const timing: Record<string, object> = {};
  const phase = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    log(`${name}\n`);
    const startTime = time(runtime);
    const result = await work();
    timing[name] = { startTime, endTime: time(runtime) };
    return result;
  };

  log(`starting build "${build.id}"\n\n`);
  try {
    await phase("FETCHSOURCE", () => fetchSource(runtime.state, request.source?.storageSource, join(folder, "workspace"), log));
    await phase("BUILD", () => runSteps(request, workspace, run));
    const images =
      request.images.length === 0
        ? []
        : await phase("PUSH", async () => request.images.map((reference) => pushResult(reference, workspace, run)));
    signal.throwIfAborted();
    log("DONE\n");
    return { status: "SUCCESS", timing, results: { images } };
  } finally {
    // A source that failed to unpack may still be written.
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

// Unlike Cloud Run: steps run one after the other, whatever waitFor says.
async function runSteps({ steps }: BuildRequest, workspace: Workspace, { runtime, log, update, signal }: Run): Promise<void> {
  const several = steps.length > 1;
  const done: object[] = [];
  const show = (step: object): void => update({ steps: [...done, step, ...steps.slice(done.length + 1)] });
  for (const [number, step] of steps.entries()) {
    signal.throwIfAborted();
    const stepLog = several ? prefixLines(`Step #${number}${step.id ? ` - "${step.id}"` : ""}: `, log) : log;
    if (several) log(`Starting Step #${number}${step.id ? ` - "${step.id}"` : ""}\n`);
    const startTime = time(runtime);
    show({ ...step, status: "WORKING", timing: { startTime } });
    try {
      stepLog(`Already have image (with digest): ${step.name}\n`);
      await runStep(runtime, step, workspace, stepLog);
    } catch (error) {
      if (signal.aborted)
        show({
          ...step,
          status: signal.reason === ("timed out" satisfies Ending) ? "TIMEOUT" : "CANCELLED",
          timing: { startTime, endTime: time(runtime) },
        });
      signal.throwIfAborted();
      if (!(error instanceof BuildError)) throw error;
      show({ ...step, status: "FAILURE", timing: { startTime, endTime: time(runtime) }, exitCode: 1 });
      stepLog(`${error.message}\n`);
      throw new BuildFailure("USER_BUILD_STEP", `build step ${number} "${step.name}" failed: step exited with non-zero status: 1`);
    }
    const finished = { ...step, status: "SUCCESS", timing: { startTime, endTime: time(runtime) } } satisfies BuildStep & BuildChange;
    show(finished);
    done.push(finished);
    if (several) log(`Finished Step #${number}${step.id ? ` - "${step.id}"` : ""}\n`);
  }
}

function pushResult(reference: string, workspace: Workspace, { runtime, log }: Run): object {
  const startTime = time(runtime);
  log(`Pushing ${reference}\n`);
  try {
    const { digest } = push(runtime, workspace, reference, log);
    return { name: reference, digest, pushTiming: { startTime, endTime: time(runtime) } };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    log(`${error.message}\n`);
    const missing = error.message.startsWith("An image does not exist locally");
    throw new BuildFailure(missing ? "PUSH_IMAGE_NOT_FOUND" : "PUSH_FAILED", `failed to push ${reference}: ${error.message}`);
  }
}

function time({ now }: Pick<Runtime, "now">): string {
  return new Date(now()).toISOString();
}

import type { Engine, Instance, StartOptions } from "../../engine/engine.ts";
import type { ImageConfig } from "../../state/resources.ts";
import type { Container, KnativeRevision } from "../knative.ts";
import type { InstanceSecrets } from "../../secrets/instance-secrets.ts";
import { parseCpu, parseMemory } from "../container-rules.ts";
import { StartupError } from "./instance-error.ts";
import { releasePort, takePort } from "./ports.ts";
import { kindOf, waitForFailure, waitForStart, type Probe } from "./probe.ts";
import type { Surroundings } from "./instance-context.ts";

/** Milliseconds between SIGTERM and SIGKILL: https://cloud.google.com/run/docs/container-contract#instance-shutdown */
export const GRACE = 10_000;
/** How many of an instance's last lines a failed start is explained with. */
const MOST_LINES = 20;

interface Startup extends Pick<Surroundings, "environment" | "log" | "say"> {
  readonly engine: Pick<Engine, "start">;
  /** The folder that the engine built the image into. */
  readonly directory: string;
  readonly config: ImageConfig;
  readonly revision: KnativeRevision;
  readonly secrets: Pick<InstanceSecrets, "environment" | "mounts">;
}

/** Starts an instance and waits until its startup probe succeeds; throws StartupError where it does not, and the signal's reason. */
export async function startInstance(
  { engine, directory, config, revision, secrets, environment, log, say }: Startup,
  signal: AbortSignal,
): Promise<Instance> {
  const container = revision.spec.containers[0] as Container;
  const { command, args } = container;
  const lines: string[] = [];
  const keep: StartOptions["log"] = (stream, line) => {
    lines.push(line);
    if (lines.length > MOST_LINES) lines.shift();
    log(stream, line);
  };
  const port = await takePort();
  const options = {
    directory,
    config,
    command,
    args,
    env: { ...environment, ...environmentOf(revision, secrets.environment, port) },
    mounts: secrets.mounts,
    limits: limitsOf(container),
    port,
    log: keep,
  };
  let instance: Instance;
  try {
    instance = await engine.start(options);
  } catch (error) {
    releasePort(port);
    throw unhealthy(container, [...lines, (error as Error).message]);
  }
  void instance.exited.then(() => releasePort(port));

  const over = new AbortController();
  let isTold = false;
  const ended = instance.exited.then(({ code, signal: by }) => {
    over.abort();
    const ending = by === null ? `Container called exit(${code}).` : `Container terminated on signal ${by}.`;
    if (!isTold) say("WARNING", ending);
    return ending;
  });
  const stop: Instance["stop"] = (grace) => {
    isTold = true;
    over.abort();
    return instance.stop(grace);
  };
  const healthy = await waitForStart(container.startupProbe ?? {}, instance.port, AbortSignal.any([signal, over.signal]));
  if (healthy && !over.signal.aborted) {
    say("INFO", `${describeProbe(container)} succeeded after 1 attempt for ${describeContainer(container)}.`);
    const { livenessProbe } = container;
    if (livenessProbe) void watch(container, livenessProbe, { ...instance, stop }, over.signal, say);
    return { ...instance, stop };
  }
  const ending = over.signal.aborted ? [await ended] : [];
  await stop(signal.aborted ? GRACE : 0);
  signal.throwIfAborted();
  say(
    "ERROR",
    `${describeProbe(container)} failed 1 time consecutively for ${describeContainer(container)}. The instance was not started.`,
  );
  throw unhealthy(container, [...lines, ...ending]);
}

/** Ends an instance whose liveness probe fails too often in a row: the next request starts another. */
async function watch(container: Container, probe: Probe, instance: Instance, over: AbortSignal, say: Surroundings["say"]): Promise<void> {
  if (!(await waitForFailure(probe, instance.port, over))) return;
  const { failureThreshold = 3, httpGet } = probe;
  const times = `${failureThreshold} time${failureThreshold === 1 ? "" : "s"}`;
  const path = httpGet ? ` path "${httpGet.path ?? "/"}"` : "";
  say(
    "ERROR",
    `LIVENESS ${kindOf(probe)} probe failed ${times} consecutively for ${describeContainer(container)}${path}. The instance has been shut down.`,
  );
  await instance.stop(0);
}

// https://cloud.google.com/run/docs/container-contract#env-vars
function environmentOf({ metadata, spec }: KnativeRevision, secrets: InstanceSecrets["environment"], port: number): Record<string, string> {
  const service = metadata.labels["serving.knative.dev/service"] ?? "";
  const own = Object.fromEntries(
    (spec.containers[0]?.env ?? []).map(({ name, value = "", valueFrom }) => [name, valueFrom ? secrets[name] : value]),
  );
  // Unlike Cloud Run: PORT is not the container's port but a free one of this machine, since instances share its loopback.
  return {
    CLOUD_RUN_TIMEOUT_SECONDS: String(spec.timeoutSeconds ?? 300),
    ...own,
    PORT: String(port),
    K_SERVICE: service,
    K_REVISION: metadata.name,
    K_CONFIGURATION: service,
  };
}

function limitsOf({ resources }: Container): StartOptions["limits"] {
  const { memory = "512Mi", cpu = "1" } = resources?.limits ?? {};
  return { memory: parseMemory(memory), cpu: parseCpu(cpu) ?? 1 };
}

function unhealthy({ ports, startupProbe }: Container, lines: readonly string[]): StartupError {
  const what =
    startupProbe?.["periodSeconds"] === 240 || startupProbe === undefined
      ? `to start and listen on the port defined provided by the PORT=${ports?.[0]?.containerPort ?? 8080} environment variable within the allocated timeout. This can happen when the container port is misconfigured or if the timeout is too short. The health check timeout can be extended.`
      : "the configured startup probe checks.";
  // Unlike Cloud Run: the instance's last lines stand where Google gives the URL of its log.
  const log = lines.length > 0 ? `\n\nThe last lines of its log:\n${lines.map((line) => `  ${line}`).join("\n")}` : "";
  const help = "For more troubleshooting guidance, see https://cloud.google.com/run/docs/troubleshooting#container-failed-to-start";
  return new StartupError(
    "HealthCheckContainerError",
    `The user-provided container failed ${what} Logs for this revision might contain more information.${log}\n\n${help}`,
  );
}

function describeProbe({ startupProbe }: Container): string {
  const isDefault = startupProbe === undefined || startupProbe["periodSeconds"] === 240;
  return `${isDefault ? "Default " : ""}STARTUP ${kindOf(startupProbe ?? {})} probe`;
}

function describeContainer({ name, image, ports }: Container): string {
  const container = name ?? `${image.split("/").at(-1)?.split(/[:@]/)[0]}-1`;
  return `container "${container}" on port ${ports?.[0]?.containerPort ?? 8080}`;
}

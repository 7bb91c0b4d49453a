import type { Engine, Instance, StartOptions } from "../../engine/engine.ts";
import type { ImageConfig } from "../../state/resources.ts";
import type { Container, KnativeRevision } from "../knative.ts";
import type { InstanceSecrets } from "../../secrets/instance-secrets.ts";
import { parseCpu, parseMemory } from "../container-rules.ts";
import { StartupError } from "./instance-error.ts";
import { releasePort, reservePort } from "./ports.ts";
import { probeType, waitForFailure, waitForStart, type Probe } from "./probe.ts";
import type { InstanceContext } from "./instance-context.ts";

/** The time between SIGTERM and SIGKILL: https://cloud.google.com/run/docs/container-contract#instance-shutdown */
export const SHUTDOWN_GRACE_PERIOD_MS = 10_000;
/** How many of an instance's last log lines explain a failed start. */
const MAX_LOG_LINES = 20;

interface InstanceStart extends Pick<InstanceContext, "environment" | "log" | "logSystem"> {
  readonly engine: Pick<Engine, "start">;
  readonly directory: string;
  readonly config: ImageConfig;
  readonly revision: KnativeRevision;
  readonly secrets: Pick<InstanceSecrets, "environment" | "mounts">;
}

/** Starts an instance and waits until its startup probe succeeds. Throws StartupError if it doesn't, and the signal's reason. */
export async function startInstance(
  { engine, directory, config, revision, secrets, environment, log, logSystem }: InstanceStart,
  signal: AbortSignal,
): Promise<Instance> {
  const container = revision.spec.containers[0] as Container;
  const { command, args } = container;
  const lines: string[] = [];
  const logAndRemember: StartOptions["log"] = (stream, line) => {
    lines.push(line);
    if (lines.length > MAX_LOG_LINES) lines.shift();
    log(stream, line);
  };
  const port = await reservePort();
  const options = {
    directory,
    config,
    command,
    args,
    env: { ...environment, ...containerEnvironment(revision, secrets.environment, port) },
    mounts: secrets.mounts,
    limits: containerLimits(container),
    port,
    log: logAndRemember,
  };
  let instance: Instance;
  try {
    instance = await engine.start(options);
  } catch (error) {
    releasePort(port);
    throw startupError(container, [...lines, (error as Error).message]);
  }
  void instance.exited.then(() => releasePort(port));

  const stopped = new AbortController();
  let isExpected = false;
  const exitMessage = instance.exited.then(({ code, signal: exitSignal }) => {
    stopped.abort();
    const message = exitSignal === null ? `Container called exit(${code}).` : `Container terminated on signal ${exitSignal}.`;
    if (!isExpected) logSystem("WARNING", message);
    return message;
  });
  const stop: Instance["stop"] = (gracePeriodMs) => {
    isExpected = true;
    stopped.abort();
    return instance.stop(gracePeriodMs);
  };
  const isHealthy = await waitForStart(container.startupProbe ?? {}, instance.port, AbortSignal.any([signal, stopped.signal]));
  if (isHealthy && !stopped.signal.aborted) {
    logSystem("INFO", `${describeProbe(container)} succeeded after 1 attempt for ${describeContainer(container)}.`);
    const { livenessProbe } = container;
    if (livenessProbe) void stopWhenUnhealthy(container, livenessProbe, { ...instance, stop }, stopped.signal, logSystem);
    return { ...instance, stop };
  }
  const message = stopped.signal.aborted ? [await exitMessage] : [];
  await stop(signal.aborted ? SHUTDOWN_GRACE_PERIOD_MS : 0);
  signal.throwIfAborted();
  logSystem(
    "ERROR",
    `${describeProbe(container)} failed 1 time consecutively for ${describeContainer(container)}. The instance was not started.`,
  );
  throw startupError(container, [...lines, ...message]);
}

/** Stops an instance when its liveness probe failed too often in a row: the next request starts another one. */
async function stopWhenUnhealthy(
  container: Container,
  probe: Probe,
  instance: Instance,
  stopped: AbortSignal,
  logSystem: InstanceContext["logSystem"],
): Promise<void> {
  if (!(await waitForFailure(probe, instance.port, stopped))) return;
  const { failureThreshold = 3, httpGet } = probe;
  const times = `${failureThreshold} time${failureThreshold === 1 ? "" : "s"}`;
  const path = httpGet ? ` path "${httpGet.path ?? "/"}"` : "";
  logSystem(
    "ERROR",
    `LIVENESS ${probeType(probe)} probe failed ${times} consecutively for ${describeContainer(container)}${path}. The instance has been shut down.`,
  );
  await instance.stop(0);
}

// https://cloud.google.com/run/docs/container-contract#env-vars
function containerEnvironment(
  { metadata, spec }: KnativeRevision,
  secrets: InstanceSecrets["environment"],
  port: number,
): Record<string, string> {
  const service = metadata.labels["serving.knative.dev/service"] ?? "";
  const containerVariables = Object.fromEntries(
    (spec.containers[0]?.env ?? []).map(({ name, value = "", valueFrom }) => [name, valueFrom ? secrets[name] : value]),
  );
  // Unlike Cloud Run: PORT isn't the container's port but a free port of the host, since instances share its loopback interface.
  return {
    CLOUD_RUN_TIMEOUT_SECONDS: String(spec.timeoutSeconds ?? 300),
    ...containerVariables,
    PORT: String(port),
    K_SERVICE: service,
    K_REVISION: metadata.name,
    K_CONFIGURATION: service,
  };
}

function containerLimits({ resources }: Container): StartOptions["limits"] {
  const { memory = "512Mi", cpu = "1" } = resources?.limits ?? {};
  return { memory: parseMemory(memory), cpu: parseCpu(cpu) ?? 1 };
}

function startupError({ ports, startupProbe }: Container, lines: readonly string[]): StartupError {
  const failure =
    startupProbe?.["periodSeconds"] === 240 || startupProbe === undefined
      ? `to start and listen on the port defined provided by the PORT=${ports?.[0]?.containerPort ?? 8080} environment variable within the allocated timeout. This can happen when the container port is misconfigured or if the timeout is too short. The health check timeout can be extended.`
      : "the configured startup probe checks.";
  // Unlike Cloud Run: a failed start shows the instance's last log lines instead of the URL of its log.
  const log = lines.length > 0 ? `\n\nThe last lines of its log:\n${lines.map((line) => `  ${line}`).join("\n")}` : "";
  const help = "For more troubleshooting guidance, see https://cloud.google.com/run/docs/troubleshooting#container-failed-to-start";
  return new StartupError(
    "HealthCheckContainerError",
    `The user-provided container failed ${failure} Logs for this revision might contain more information.${log}\n\n${help}`,
  );
}

function describeProbe({ startupProbe }: Container): string {
  const isDefault = startupProbe === undefined || startupProbe["periodSeconds"] === 240;
  return `${isDefault ? "Default " : ""}STARTUP ${probeType(startupProbe ?? {})} probe`;
}

function describeContainer({ name, image, ports }: Container): string {
  const container = name ?? `${image.split("/").at(-1)?.split(/[:@]/)[0]}-1`;
  return `container "${container}" on port ${ports?.[0]?.containerPort ?? 8080}`;
}

import { parseImageReference } from "../artifact-registry/image-reference.ts";
import type { ContainerRequest } from "./service-request.ts";
import type { Violation } from "./violations.ts";

const RESERVED = new Set(["PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"]);
const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, G: 1e9, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };
/** The least and most memory, for so many processors or more: https://cloud.google.com/run/docs/configuring/services/memory-limits */
const MEMORY: readonly (readonly [cpu: number, least: string, most: string])[] = [
  [8, "4Gi", "32Gi"],
  [6, "4Gi", "24Gi"],
  [4, "2Gi", "16Gi"],
  [2, "128Mi", "8Gi"],
  [1, "128Mi", "4Gi"],
  [0.5, "128Mi", "1Gi"],
  [0.08, "128Mi", "512Mi"],
];

/** The processors that a limit such as `1000m` or `2` stands for; undefined where it stands for none. */
export function parseCpu(limit: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(m?)$/.exec(limit);
  return match ? Number(match[1]) / (match[2] === "m" ? 1000 : 1) : undefined;
}

/** The rules for a service's container, by Cloud Run's words: https://cloud.google.com/run/docs/configuring */
export function* checkContainer(container: ContainerRequest, concurrency: number | undefined, at: string): Generator<Violation> {
  if (!isPullable(container.image)) {
    yield {
      field: `${at}.image`,
      description: `Expected an image path like [host/]repo-path[:tag and/or @digest], where host is one of [region.]gcr.io, [region-]docker.pkg.dev or docker.io but obtained ${container.image}`,
    };
  }
  yield* checkPorts(container, at);
  yield* checkEnvironment(container, at);
  yield* checkLimits(container.resources?.limits ?? {}, concurrency, `${at}.resources.limits`);
  yield* checkProbe(container.startupProbe, `${at}.startupProbe`, 240);
  yield* checkProbe(container.livenessProbe, `${at}.livenessProbe`, 3600);
}

function isPullable(image: string): boolean {
  const host = parseImageReference(image)?.name.split("/")[0] ?? "";
  return /^(([a-z0-9-]+\.)?gcr\.io|([a-z0-9-]+-)?docker\.pkg\.dev|docker\.io)$/.test(host);
}

function* checkPorts({ ports = [] }: ContainerRequest, at: string): Generator<Violation> {
  if (ports.length > 1) yield { field: `${at}.ports`, description: "Only a single port can be specified." };
  const { name = "http1", containerPort = 8080 } = ports[0] ?? {};
  if (!["", "http1", "h2c"].includes(name))
    yield { field: `${at}.ports[0].name`, description: "Port name must be either 'http1' or 'h2c'." };
  if (containerPort < 1 || containerPort > 65_535)
    yield { field: `${at}.ports[0].containerPort`, description: "Port must be between 1 and 65535 inclusive." };
}

function* checkEnvironment({ env = [] }: ContainerRequest, at: string): Generator<Violation> {
  const reserved = env.map(({ name }) => name).filter((name) => RESERVED.has(name));
  if (reserved.length > 0) {
    yield {
      field: `${at}.env`,
      description: `The following reserved env names were provided: ${reserved.join(", ")}. These values are automatically set by the system.`,
    };
  }
  for (const [index, { name, valueFrom }] of env.entries()) {
    if (!/^[^=\0]+$/.test(name)) yield { field: `${at}.env[${index}].name`, description: "The name must not be empty or hold '='." };
    if (valueFrom && !valueFrom.secretKeyRef)
      yield { field: `${at}.env[${index}].valueFrom`, description: "A value can be taken from a secret only: expected secretKeyRef." };
  }
}

type Limits = Readonly<Record<string, string>>;

function* checkLimits(
  { cpu: cpuLimit = "1000m", memory = "512Mi" }: Limits,
  concurrency: number | undefined,
  at: string,
): Generator<Violation> {
  const cpu = parseCpu(cpuLimit) ?? 0;
  const [step, least, most] = MEMORY.find(([from]) => cpu >= from) ?? [];
  if (step === undefined || least === undefined || most === undefined || (cpu > 1 && cpu !== step)) {
    yield { field: `${at}.cpu`, description: "Invalid value specified for cpu. Must be equal to one of [.08-1], 1.0, 2.0, 4.0, 6.0, 8.0" };
    return;
  }
  if (cpu < 1 && concurrency !== undefined && concurrency > 1) {
    yield { field: `${at}.cpu`, description: "Invalid value specified for cpu. Total cpu < 1 is not supported with concurrency > 1." };
  }
  const bytes = parseMemory(memory);
  if (bytes >= parseMemory(least) && bytes <= parseMemory(most)) return;
  const shown = Number.isInteger(cpu) ? cpu.toFixed(1) : String(cpu);
  const rule = `For ${shown} CPU, memory must be between ${least} and ${most} inclusive.`;
  const help = "For more troubleshooting guidance, see https://cloud.google.com/run/docs/configuring/memory-limits";
  yield { field: `${at}.memory`, description: `Invalid value specified for memory. ${rule}\n${help}` };
}

/** Bytes; NaN for what is no amount of memory. */
export function parseMemory(limit: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)(k|M|G|Ki|Mi|Gi)?$/.exec(limit) ?? [];
  return Number(number) * (UNITS[unit] ?? Number.NaN);
}

function* checkProbe(probe: ContainerRequest["startupProbe"], at: string, longest: number): Generator<Violation> {
  if (!probe) return;
  const within = (name: string, value: number, least: number, most: number) =>
    value < least || value > most ? [{ field: `${at}.${name}`, description: `Must be between ${least} and ${most} inclusive.` }] : [];
  const { initialDelaySeconds = 0, periodSeconds = 10, timeoutSeconds = 1, failureThreshold = 3 } = probe;
  yield* within("initialDelaySeconds", initialDelaySeconds, 0, 240);
  yield* within("periodSeconds", periodSeconds, 1, longest);
  yield* within("timeoutSeconds", timeoutSeconds, 1, Math.min(longest, periodSeconds));
  yield* within("failureThreshold", failureThreshold, 1, 240);
}

import { parseImageReference } from "../artifact-registry/image-reference.ts";
import type { ContainerRequest } from "./service-request.ts";
import { checkRange, type Violation } from "./violations.ts";

const RESERVED_VARIABLES = new Set(["PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"]);
const BYTES_PER_UNIT: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, G: 1e9, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };
/** Minimum and maximum memory by CPUs: https://cloud.google.com/run/docs/configuring/services/memory-limits */
const MEMORY_RANGES: readonly (readonly [cpu: number, minMemory: string, maxMemory: string])[] = [
  [8, "4Gi", "32Gi"],
  [6, "4Gi", "24Gi"],
  [4, "2Gi", "16Gi"],
  [2, "128Mi", "8Gi"],
  [1, "128Mi", "4Gi"],
  [0.5, "128Mi", "1Gi"],
  [0.08, "128Mi", "512Mi"],
];

/** The CPUs of a limit such as `1000m` or `2`; undefined if it isn't valid. */
export function parseCpu(limit: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(m?)$/.exec(limit);
  return match ? Number(match[1]) / (match[2] === "m" ? 1000 : 1) : undefined;
}

/** Checks a service's container, in Cloud Run's words: https://cloud.google.com/run/docs/configuring */
export function* checkContainer(container: ContainerRequest, concurrency: number | undefined, path: string): Generator<Violation> {
  if (!isAllowedRegistry(container.image)) {
    yield {
      field: `${path}.image`,
      description: `Expected an image path like [host/]repo-path[:tag and/or @digest], where host is one of [region.]gcr.io, [region-]docker.pkg.dev or docker.io but obtained ${container.image}`,
    };
  }
  yield* checkPorts(container, path);
  yield* checkEnvironment(container, path);
  yield* checkLimits(container.resources?.limits ?? {}, concurrency, `${path}.resources.limits`);
  yield* checkProbe(container.startupProbe, `${path}.startupProbe`, 240);
  yield* checkProbe(container.livenessProbe, `${path}.livenessProbe`, 3600);
}

function isAllowedRegistry(image: string): boolean {
  const host = parseImageReference(image)?.name.split("/")[0] ?? "";
  return /^(([a-z0-9-]+\.)?gcr\.io|([a-z0-9-]+-)?docker\.pkg\.dev|docker\.io)$/.test(host);
}

function* checkPorts({ ports = [] }: ContainerRequest, path: string): Generator<Violation> {
  if (ports.length > 1) yield { field: `${path}.ports`, description: "Only a single port can be specified." };
  const { name = "http1", containerPort = 8080 } = ports[0] ?? {};
  if (!["", "http1", "h2c"].includes(name))
    yield { field: `${path}.ports[0].name`, description: "Port name must be either 'http1' or 'h2c'." };
  if (containerPort < 1 || containerPort > 65_535)
    yield { field: `${path}.ports[0].containerPort`, description: "Port must be between 1 and 65535 inclusive." };
}

function* checkEnvironment({ env = [] }: ContainerRequest, path: string): Generator<Violation> {
  const reserved = env.map(({ name }) => name).filter((name) => RESERVED_VARIABLES.has(name));
  if (reserved.length > 0) {
    yield {
      field: `${path}.env`,
      description: `The following reserved env names were provided: ${reserved.join(", ")}. These values are automatically set by the system.`,
    };
  }
  for (const [index, { name, valueFrom }] of env.entries()) {
    if (!/^[^=\0]+$/.test(name)) yield { field: `${path}.env[${index}].name`, description: "The name must not be empty or contain '='." };
    if (valueFrom && !valueFrom.secretKeyRef)
      yield { field: `${path}.env[${index}].valueFrom`, description: "Only values from secrets are supported: expected secretKeyRef." };
  }
}

type Limits = Readonly<Record<string, string>>;

function* checkLimits(
  { cpu: cpuLimit = "1000m", memory = "512Mi" }: Limits,
  concurrency: number | undefined,
  path: string,
): Generator<Violation> {
  const cpu = parseCpu(cpuLimit) ?? 0;
  const [matchedCpus, minMemory, maxMemory] = MEMORY_RANGES.find(([from]) => cpu >= from) ?? [];
  if (matchedCpus === undefined || minMemory === undefined || maxMemory === undefined || (cpu > 1 && cpu !== matchedCpus)) {
    yield {
      field: `${path}.cpu`,
      description: "Invalid value specified for cpu. Must be equal to one of [.08-1], 1.0, 2.0, 4.0, 6.0, 8.0",
    };
    return;
  }
  if (cpu < 1 && concurrency !== undefined && concurrency > 1) {
    yield { field: `${path}.cpu`, description: "Invalid value specified for cpu. Total cpu < 1 is not supported with concurrency > 1." };
  }
  const bytes = parseMemory(memory);
  if (bytes >= parseMemory(minMemory) && bytes <= parseMemory(maxMemory)) return;
  const cpuText = Number.isInteger(cpu) ? cpu.toFixed(1) : String(cpu);
  const rule = `For ${cpuText} CPU, memory must be between ${minMemory} and ${maxMemory} inclusive.`;
  const help = "For more troubleshooting guidance, see https://cloud.google.com/run/docs/configuring/memory-limits";
  yield { field: `${path}.memory`, description: `Invalid value specified for memory. ${rule}\n${help}` };
}

/** The bytes of a limit; NaN if it isn't valid. */
export function parseMemory(limit: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)(k|M|G|Ki|Mi|Gi)?$/.exec(limit) ?? [];
  return Number(number) * (BYTES_PER_UNIT[unit] ?? Number.NaN);
}

function* checkProbe(probe: ContainerRequest["startupProbe"], path: string, maxSeconds: number): Generator<Violation> {
  if (!probe) return;
  const { initialDelaySeconds = 0, periodSeconds = 10, timeoutSeconds = 1, failureThreshold = 3 } = probe;
  yield* checkRange(`${path}.initialDelaySeconds`, initialDelaySeconds, 0, 240);
  yield* checkRange(`${path}.periodSeconds`, periodSeconds, 1, maxSeconds);
  yield* checkRange(`${path}.timeoutSeconds`, timeoutSeconds, 1, Math.min(maxSeconds, periodSeconds));
  yield* checkRange(`${path}.failureThreshold`, failureThreshold, 1, 240);
}

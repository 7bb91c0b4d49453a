import { CliError } from "../../errors/cli-error.ts";
import {
  parseFlags,
  readChoice,
  readList,
  readPlainVariables,
  readNumber,
  readPairs,
  readSeconds,
  readSecrets,
  unknownToApi,
} from "./flag-values.ts";
import { mergeVariables, type TemplateMessage, type VariableMessage, type ServiceUpdate } from "../messages/v2-service.ts";

interface Draft {
  readonly service: Record<string, unknown>;
  readonly labels: TemplateMessage["labels"];
  readonly template: Record<string, unknown>;
  readonly container: Record<string, unknown>;
}

type Apply = (draft: Draft, value: string) => void;

const ENVIRONMENTS = { gen1: "EXECUTION_ENVIRONMENT_GEN1", gen2: "EXECUTION_ENVIRONMENT_GEN2" };
const INGRESS = {
  all: "INGRESS_TRAFFIC_ALL",
  internal: "INGRESS_TRAFFIC_INTERNAL_ONLY",
  "internal-and-cloud-load-balancing": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
};

/** gcloud's flags with a value. https://cloud.google.com/sdk/gcloud/reference/run/deploy */
const WITH_VALUE: Readonly<Record<string, Apply>> = {
  "--memory": (draft, value) => setLimit(draft, "memory", value),
  "--cpu": (draft, value) => setLimit(draft, "cpu", value),
  "--concurrency": ({ template }, value) =>
    set(template, "maxInstanceRequestConcurrency", value === "default" ? undefined : readNumber("--concurrency", value)),
  "--timeout": ({ template }, value) => set(template, "timeout", `${readSeconds("--timeout", value)}s`),
  "--port": setPort,
  "--min-instances": (draft, value) => setScale(draft, "minInstanceCount", "--min-instances", value),
  "--max-instances": (draft, value) => setScale(draft, "maxInstanceCount", "--max-instances", value),
  "--execution-environment": ({ template }, value) =>
    set(template, "executionEnvironment", readChoice("--execution-environment", ENVIRONMENTS, value)),
  "--ingress": ({ service }, value) => set(service, "ingress", readChoice("--ingress", INGRESS, value)),
  "--description": ({ service }, value) => set(service, "description", value),
  "--labels": setLabels,
  "--update-labels": setLabels,
  "--set-env-vars": (draft, value) => setVariables(draft, ({ valueSource }) => Boolean(valueSource), readPlainVariables(value)),
  "--update-env-vars": (draft, value) => setVariables(draft, () => true, readPlainVariables(value)),
  "--remove-env-vars": (draft, value) =>
    setVariables(draft, ({ name, valueSource }) => Boolean(valueSource) || !readList(value).includes(name)),
  "--update-secrets": (draft, value) => setVariables(draft, () => true, readSecrets("--update-secrets", value)),
  "--command": ({ container }, value) => set(container, "command", readList(value)),
  "--args": ({ container }, value) => set(container, "args", readList(value)),
};

/** gcloud's flags without a value; each also exists with --no-. */
const SWITCHES: Readonly<Record<string, (draft: Draft, isOn: boolean) => void>> = {
  "--cpu-throttling": ({ container }, isOn) => setResources(container, { cpuIdle: isOn }),
  "--cpu-boost": ({ container }, isOn) => setResources(container, { startupCpuBoost: isOn }),
  "--session-affinity": ({ template }, isOn) => set(template, "sessionAffinity", isOn),
};

const OWN_FLAGS = ["--image", "--source", "--tag", "--no-traffic", "--service-account", "--allow-unauthenticated", "--project", "--region"];

/** A service's written fields with the changes that gcloud's flags make. Throws USAGE for a flag that only gcloud supports. */
export function applyFlags(
  { message, mask }: ServiceUpdate,
  words: readonly string[] = [],
  labels: TemplateMessage["labels"] = {},
): ServiceUpdate {
  if (words.length === 0) return { message, mask };
  const [container, ...others] = message.template?.containers ?? [];
  const draft: Draft = { service: {}, labels: message.labels ?? labels, template: { ...message.template }, container: { ...container } };
  for (const apply of readFlags(words)) apply(draft);
  return {
    message: { ...message, ...draft.service, template: { ...draft.template, containers: [draft.container, ...others] } },
    mask: [...new Set([...mask, ...Object.keys(draft.service)])],
  };
}

export function assertFlagsSupported(words: readonly string[] = []): void {
  applyFlags({ message: {}, mask: [] }, words);
}

function readFlags(words: readonly string[]): ((draft: Draft) => void)[] {
  return parseFlags(words, kindOf, refuse).map(({ flag, value }) => {
    const turn = SWITCHES[positiveName(flag)];
    return (draft) => (turn ? turn(draft, !flag.startsWith("--no-")) : WITH_VALUE[flag]?.(draft, value));
  });
}

function kindOf(flag: string): "value" | "switch" | undefined {
  if (Object.hasOwn(WITH_VALUE, flag)) return "value";
  return Object.hasOwn(SWITCHES, positiveName(flag)) ? "switch" : undefined;
}

function positiveName(flag: string): string {
  return flag.replace(/^--no-/, "--");
}

function refuse(flag: string): CliError {
  if (OWN_FLAGS.includes(flag)) return new CliError("USAGE", `${flag} can't follow --.`, { hint: `Pass ${flag} before the --.` });
  if (!flag.startsWith("--")) return new CliError("USAGE", `Invalid gcloud flag "${flag}" after --.`, { hint: "Example: -- --memory 1Gi" });
  return unknownToApi(flag, "deployment", [...Object.keys(WITH_VALUE), ...Object.keys(SWITCHES)]);
}

function set(of: Record<string, unknown>, name: string, value: unknown): void {
  of[name] = value;
}

/** A message with resources has to say that the CPU is throttled between requests, too. */
function setResources(container: Record<string, unknown>, change: object): void {
  container["resources"] = { ...((container["resources"] ?? { cpuIdle: true }) as object), ...change };
}

function setLimit({ container }: Draft, name: string, value: string): void {
  const { limits } = (container["resources"] ?? {}) as { limits?: Record<string, string> };
  setResources(container, { limits: { ...limits, [name]: value } });
}

function setScale({ template }: Draft, name: string, flag: string, value: string): void {
  const count = value === "default" ? undefined : readNumber(flag, value);
  template["scaling"] = { ...(template["scaling"] as object | undefined), [name]: count };
}

/** Cloud Run's default probe of the old port moves to the new one. */
function setPort({ container }: Draft, value: string): void {
  const [port] = (container["ports"] ?? []) as { containerPort?: number }[];
  const containerPort = value === "default" ? 8080 : readNumber("--port", value);
  container["ports"] = [{ ...port, containerPort }];
  const probe = container["startupProbe"] as { tcpSocket?: { port?: number } } | undefined;
  if (probe?.tcpSocket && probe.tcpSocket.port === (port?.containerPort ?? 8080))
    container["startupProbe"] = { ...probe, tcpSocket: { ...probe.tcpSocket, port: containerPort } };
}

/** A service's labels are also its revisions' labels. */
function setLabels({ service, labels: known, template }: Draft, value: string): void {
  const labels = { ...known, ...(service["labels"] as object | undefined), ...Object.fromEntries(readPairs("--labels", value)) };
  set(service, "labels", labels);
  set(template, "labels", labels);
}

function setVariables(
  { container }: Draft,
  remains: (variable: VariableMessage) => boolean,
  wanted: readonly VariableMessage[] = [],
): void {
  const existing = (container["env"] ?? []) as readonly VariableMessage[];
  set(container, "env", mergeVariables(existing.filter(remains), wanted));
}

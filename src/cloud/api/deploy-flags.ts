import { CliError } from "../../errors/cli-error.ts";
import { closestMatch } from "../../errors/closest-match.ts";
import { readChoice, readList, readLiterals, readNumber, readPairs, readSeconds, readSecrets } from "./flag-values.ts";
import { mergeVariables, type TemplateMessage, type VariableMessage, type Written } from "../messages/v2-service.ts";

/** What is being put together of a service. */
interface Draft {
  /** The fields beside the template that are written. */
  readonly service: Record<string, unknown>;
  /** Those that the service has. */
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

/** What gcloud's flags with a value mean. https://cloud.google.com/sdk/gcloud/reference/run/deploy */
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
  "--set-env-vars": (draft, value) => setVariables(draft, ({ valueSource }) => Boolean(valueSource), readLiterals(value)),
  "--update-env-vars": (draft, value) => setVariables(draft, () => true, readLiterals(value)),
  "--remove-env-vars": (draft, value) =>
    setVariables(draft, ({ name, valueSource }) => Boolean(valueSource) || !readList(value).includes(name)),
  "--update-secrets": (draft, value) => setVariables(draft, () => true, readSecrets("--update-secrets", value)),
  "--command": ({ container }, value) => set(container, "command", readList(value)),
  "--args": ({ container }, value) => set(container, "args", readList(value)),
};

/** Those without; each has a twin that begins with --no-. */
const SWITCHES: Readonly<Record<string, (draft: Draft, isOn: boolean) => void>> = {
  "--cpu-throttling": ({ container }, isOn) => setResources(container, { cpuIdle: isOn }),
  "--cpu-boost": ({ container }, isOn) => setResources(container, { startupCpuBoost: isOn }),
  "--session-affinity": ({ template }, isOn) => set(template, "sessionAffinity", isOn),
};

/** Those that have an option of ours. */
const OURS = ["--image", "--source", "--tag", "--no-traffic", "--service-account", "--allow-unauthenticated", "--project", "--region"];

/** What is written of a service, with what gcloud's flags say. Throws USAGE for a flag that only gcloud understands, by its name. */
export function withFlags({ message, mask }: Written, words: readonly string[] = [], labels: TemplateMessage["labels"] = {}): Written {
  if (words.length === 0) return { message, mask };
  const [container, ...others] = message.template?.containers ?? [];
  const draft: Draft = { service: {}, labels: message.labels ?? labels, template: { ...message.template }, container: { ...container } };
  for (const apply of readFlags(words)) apply(draft);
  return {
    message: { ...message, ...draft.service, template: { ...draft.template, containers: [draft.container, ...others] } },
    mask: [...new Set([...mask, ...Object.keys(draft.service)])],
  };
}

/** Throws USAGE as `withFlags` does, before anything is done. */
export function assertUnderstood(words: readonly string[] = []): void {
  withFlags({ message: {}, mask: [] }, words);
}

function readFlags(words: readonly string[]): ((draft: Draft) => void)[] {
  const found: ((draft: Draft) => void)[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const [, flag = "", attached] = /^([^=]*)(?:=([\s\S]*))?$/.exec(words[index] ?? "") ?? [];
    const positive = flag.replace(/^--no-/, "--");
    const apply = Object.hasOwn(WITH_VALUE, flag) ? WITH_VALUE[flag] : undefined;
    const turn = Object.hasOwn(SWITCHES, positive) ? SWITCHES[positive] : undefined;
    if (apply) {
      const value = attached ?? words[(index += 1)];
      if (value === undefined) throw new CliError("USAGE", `${flag} needs a value.`, { hint: `-- ${flag} VALUE` });
      found.push((draft) => apply(draft, value));
    } else if (turn && attached === undefined) {
      found.push((draft) => turn(draft, !flag.startsWith("--no-")));
    } else throw refused(flag);
  }
  return found;
}

function refused(flag: string): CliError {
  if (OURS.includes(flag))
    return new CliError("USAGE", `${flag} is an option of deploy itself.`, { hint: `Say it before the --: deploy ${flag} …` });
  if (!flag.startsWith("--"))
    return new CliError("USAGE", `"${flag}" behind -- is no flag of gcloud.`, { hint: "cloudrun-oauth deploy -- --memory 1Gi" });
  const known = [...Object.keys(WITH_VALUE), ...Object.keys(SWITCHES)];
  const near = closestMatch(flag, known);
  return new CliError("USAGE", `${flag} is for gcloud, and this deployment goes by Google's API.`, {
    hint: `${near ? `Did you mean ${near}? ` : ""}The API takes ${known.join(", ")}. For others, install gcloud and say --via gcloud.`,
    details: { flag },
  });
}

function set(of: Record<string, unknown>, name: string, value: unknown): void {
  of[name] = value;
}

/** Who says something of resources has to say that the processor may idle, too. */
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

/** The probe that Cloud Run has put in for the port goes with it. */
function setPort({ container }: Draft, value: string): void {
  const [port] = (container["ports"] ?? []) as { containerPort?: number }[];
  const containerPort = value === "default" ? 8080 : readNumber("--port", value);
  container["ports"] = [{ ...port, containerPort }];
  const probe = container["startupProbe"] as { tcpSocket?: { port?: number } } | undefined;
  if (probe?.tcpSocket && probe.tcpSocket.port === (port?.containerPort ?? 8080))
    container["startupProbe"] = { ...probe, tcpSocket: { ...probe.tcpSocket, port: containerPort } };
}

/** A service's labels are its revisions' too. */
function setLabels({ service, labels: known, template }: Draft, value: string): void {
  const labels = { ...known, ...(service["labels"] as object | undefined), ...Object.fromEntries(readPairs("--labels", value)) };
  set(service, "labels", labels);
  set(template, "labels", labels);
}

function setVariables({ container }: Draft, isKept: (variable: VariableMessage) => boolean, wanted: readonly VariableMessage[] = []): void {
  const existing = (container["env"] ?? []) as readonly VariableMessage[];
  set(container, "env", mergeVariables(existing.filter(isKept), wanted));
}

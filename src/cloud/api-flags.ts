import { CliError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { readList, readLiterals, readNumber, readPairs, readSeconds, readSecrets } from "./flag-values.ts";
import type { KnativeVariable } from "./knative-revision.ts";
import type { KnativeService } from "./knative-service.ts";

/** A service that is being put together. */
interface Draft {
  readonly annotations: Record<string, string>;
  readonly labels: Record<string, string>;
  readonly template: { readonly annotations: Record<string, string>; readonly labels: Record<string, string> };
  readonly spec: Record<string, unknown>;
  readonly container: Record<string, unknown>;
}

type Apply = (draft: Draft, value: string) => void;

/** What gcloud's flags with a value mean. https://cloud.google.com/sdk/gcloud/reference/run/deploy */
const WITH_VALUE: Readonly<Record<string, Apply>> = {
  "--memory": (draft, value) => setLimit(draft, "memory", value),
  "--cpu": (draft, value) => setLimit(draft, "cpu", value),
  "--concurrency": ({ spec }, value) =>
    set(spec, "containerConcurrency", value === "default" ? undefined : readNumber("--concurrency", value)),
  "--timeout": ({ spec }, value) => set(spec, "timeoutSeconds", readSeconds("--timeout", value)),
  "--port": setPort,
  "--min-instances": ({ template }, value) => setScale(template.annotations, "minScale", value),
  "--max-instances": ({ template }, value) => setScale(template.annotations, "maxScale", value),
  "--execution-environment": ({ template }, value) => set(template.annotations, "run.googleapis.com/execution-environment", value),
  "--ingress": ({ annotations }, value) => set(annotations, "run.googleapis.com/ingress", value),
  "--description": ({ annotations }, value) => set(annotations, "run.googleapis.com/description", value),
  "--labels": setLabels,
  "--update-labels": setLabels,
  "--set-env-vars": ({ container }, value) =>
    set(
      container,
      "env",
      merge(
        variablesOf(container).filter(({ valueFrom }) => valueFrom),
        readLiterals(value),
      ),
    ),
  "--update-env-vars": ({ container }, value) => set(container, "env", merge(variablesOf(container), readLiterals(value))),
  "--remove-env-vars": ({ container }, value) =>
    set(
      container,
      "env",
      variablesOf(container).filter(({ name, valueFrom }) => valueFrom || !readList(value).includes(name)),
    ),
  "--update-secrets": ({ container }, value) =>
    set(container, "env", merge(variablesOf(container), readSecrets("--update-secrets", value))),
  "--command": ({ container }, value) => set(container, "command", readList(value)),
  "--args": ({ container }, value) => set(container, "args", readList(value)),
};

/** Those without; each has a twin that begins with --no-. */
const SWITCHES: Readonly<Record<string, string>> = {
  "--cpu-throttling": "run.googleapis.com/cpu-throttling",
  "--cpu-boost": "run.googleapis.com/startup-cpu-boost",
  "--session-affinity": "run.googleapis.com/sessionAffinity",
};

/** Those that have an option of ours. */
const OURS = ["--image", "--source", "--tag", "--no-traffic", "--service-account", "--allow-unauthenticated", "--project", "--region"];

/** A service with what gcloud's flags say of it. Throws USAGE for a flag that only gcloud understands, by its name. */
export function withFlags<Body extends KnativeService>(body: Body, words: readonly string[] = []): Body {
  if (words.length === 0) return body;
  const { metadata, spec } = body;
  const template = spec?.template;
  const [container, ...others] = template?.spec?.containers ?? [];
  const draft: Draft = {
    annotations: { ...metadata?.annotations },
    labels: { ...metadata?.labels },
    template: { annotations: { ...template?.metadata?.annotations }, labels: { ...template?.metadata?.labels } },
    spec: { ...template?.spec },
    container: { ...container },
  };
  for (const apply of readFlags(words)) apply(draft);
  return {
    ...body,
    metadata: { ...metadata, annotations: draft.annotations, labels: draft.labels },
    spec: {
      ...spec,
      template: {
        ...template,
        metadata: { ...template?.metadata, ...draft.template },
        spec: { ...draft.spec, containers: [draft.container, ...others] },
      },
    },
  };
}

/** Throws USAGE as `withFlags` does, before anything is done. */
export function assertUnderstood(words: readonly string[] = []): void {
  withFlags({}, words);
}

function readFlags(words: readonly string[]): ((draft: Draft) => void)[] {
  const found: ((draft: Draft) => void)[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const [, flag = "", attached] = /^([^=]*)(?:=([\s\S]*))?$/.exec(words[index] ?? "") ?? [];
    const apply = WITH_VALUE[flag];
    const annotation = SWITCHES[flag.replace(/^--no-/, "--")];
    if (apply) {
      const value = attached ?? words[(index += 1)];
      if (value === undefined) throw new CliError("USAGE", `${flag} needs a value.`, { hint: `-- ${flag} VALUE` });
      found.push((draft) => apply(draft, value));
    } else if (annotation !== undefined && attached === undefined) {
      found.push(({ template }) => set(template.annotations, annotation, String(!flag.startsWith("--no-"))));
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
  const near = nearest(flag, known);
  return new CliError("USAGE", `${flag} is for gcloud, and this deployment goes by Google's API.`, {
    hint: `${near ? `Did you mean ${near}? ` : ""}The API takes ${known.join(", ")}. For others, install gcloud and say --via gcloud.`,
    details: { flag },
  });
}

function set(of: Record<string, unknown>, name: string, value: unknown): void {
  of[name] = value;
}

function setLimit({ container }: Draft, name: string, value: string): void {
  const resources = (container["resources"] ?? {}) as { limits?: Record<string, string> };
  container["resources"] = { ...resources, limits: { ...resources.limits, [name]: value } };
}

function setScale(annotations: Record<string, string>, name: "minScale" | "maxScale", value: string): void {
  const key = `autoscaling.knative.dev/${name}`;
  if (value === "default") delete annotations[key];
  else annotations[key] = String(readNumber(name === "minScale" ? "--min-instances" : "--max-instances", value));
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
function setLabels({ labels, template }: Draft, value: string): void {
  const pairs = Object.fromEntries(readPairs("--labels", value));
  Object.assign(labels, pairs);
  Object.assign(template.labels, pairs);
}

function variablesOf(container: Record<string, unknown>): readonly KnativeVariable[] {
  return (container["env"] ?? []) as readonly KnativeVariable[];
}

/** What is there stands where it stood, with its new value. */
function merge(existing: readonly KnativeVariable[], wanted: readonly KnativeVariable[]): KnativeVariable[] {
  const find = (name: string) => wanted.find((variable) => variable.name === name);
  const others = wanted.filter(({ name }) => !existing.some((variable) => variable.name === name));
  return [...existing.map((variable) => find(variable.name) ?? variable), ...others];
}

import { isStringArray, parseJson } from "../server/json.ts";
import { checkContainer } from "./container-rules.ts";
import { MAX_LABEL_LENGTH } from "./names.ts";
import type { ServiceRequest, TargetRequest, TemplateRequest } from "./service-request.ts";
import { checkRange, type Violation } from "./violations.ts";

const NAME = /^[a-z]([a-z0-9-]*[a-z0-9])?$/;
const NAME_RULE =
  "only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 64 characters.";
const INGRESS_VALUES = ["all", "internal", "internal-and-cloud-load-balancing"];
const MAX_AUDIENCES_LENGTH = 32_768;

/** Checks a service beyond its fields' types. `label` is the first label of its host, which tags precede. */
export function* checkService({ metadata, spec }: ServiceRequest, label: string): Generator<Violation> {
  if (!NAME.test(metadata.name) || metadata.name.length > MAX_LABEL_LENGTH) {
    yield { field: "metadata.name", description: NAME_RULE };
  }
  yield* checkAnnotations(metadata.annotations);
  yield* checkTemplate(spec.template, metadata.name);
  yield* checkTraffic(spec.traffic, label);
}

function* checkAnnotations(annotations: Readonly<Record<string, string>>): Generator<Violation> {
  const ingress = "run.googleapis.com/ingress";
  if (!INGRESS_VALUES.includes(annotations[ingress] ?? "all")) {
    yield { field: `metadata.annotations[${ingress}]`, description: `Invalid value. Must be one of ${INGRESS_VALUES.join(", ")}.` };
  }
  const audiences = "run.googleapis.com/custom-audiences";
  const audiencesJson = annotations[audiences] ?? "[]";
  if (audiencesJson.length > MAX_AUDIENCES_LENGTH || !isStringArray(parseJson(audiencesJson))) {
    yield {
      field: `metadata.annotations[${audiences}]`,
      description: `Must be a JSON array of strings of at most ${MAX_AUDIENCES_LENGTH} characters.`,
    };
  }
}

function* checkTemplate({ metadata, spec }: TemplateRequest, service: string): Generator<Violation> {
  const path = "spec.template.spec";
  const { name } = metadata;
  if (name !== undefined && !name.startsWith(`${service}-`)) {
    yield { field: "spec.template.metadata.name", description: `Revision name must be prefixed by the service name: '${service}-'.` };
  } else if (name !== undefined && (!NAME.test(name) || name.length > MAX_LABEL_LENGTH)) {
    yield { field: "spec.template.metadata.name", description: NAME_RULE };
  }
  for (const key of ["minScale", "maxScale"]) {
    const scale = metadata.annotations[`autoscaling.knative.dev/${key}`];
    if (scale !== undefined && !/^\d{1,6}$/.test(scale)) {
      yield {
        field: `spec.template.metadata.annotations[autoscaling.knative.dev/${key}]`,
        description: "Must be a non-negative integer.",
      };
    }
  }

  const { containerConcurrency = 0, timeoutSeconds = 300, containers, volumes = [] } = spec;
  yield* checkRange(`${path}.containerConcurrency`, containerConcurrency, 0, 1000);
  yield* checkRange(`${path}.timeoutSeconds`, timeoutSeconds, 1, 3600, " seconds");
  // Unlike Cloud Run: sidecars aren't supported.
  if (containers.length !== 1)
    yield { field: `${path}.containers`, description: `Exactly one container is supported, but ${containers.length} were specified.` };
  for (const [index, { name }] of (containers[0]?.volumeMounts ?? []).entries()) {
    if (!volumes.some((volume) => volume.name === name))
      yield { field: `${path}.containers[0].volumeMounts[${index}].name`, description: `Volume '${name}' not found.` };
  }
  for (const [index, container] of containers.entries())
    yield* checkContainer(container, spec.containerConcurrency, `${path}.containers[${index}]`);
}

function* checkTraffic(traffic: readonly TargetRequest[], label: string): Generator<Violation> {
  if (traffic.length === 0) return;
  const sum = traffic.reduce((all, { percent = 0 }) => all + percent, 0);
  if (sum !== 100) yield { field: "spec.traffic", description: `Traffic targets sum to ${sum}, want 100.` };
  const tags = new Set<string>();
  for (const [index, { percent = 0, tag, revisionName, latestRevision = false }] of traffic.entries()) {
    const path = `spec.traffic[${index}]`;
    yield* checkRange(`${path}.percent`, percent, 0, 100);
    if (latestRevision === Boolean(revisionName))
      yield { field: path, description: "Expected exactly one of revisionName and latestRevision: true." };
    if (tag === undefined) continue;
    if (!NAME.test(tag) || tag.includes("---"))
      yield {
        field: `${path}.tag`,
        description: "only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen.",
      };
    if (`${tag}---${label}`.length > MAX_LABEL_LENGTH)
      yield { field: `${path}.tag`, description: `The tag is too long: '${tag}---${label}' can have at most 63 characters.` };
    if (tags.has(tag)) yield { field: `${path}.tag`, description: `The tag '${tag}' is used more than once.` };
    tags.add(tag);
  }
}

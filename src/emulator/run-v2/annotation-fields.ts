import { parseJson } from "../server/json.ts";

export type Message = Readonly<Record<string, unknown>>;

interface AnnotationField {
  /** The field's path in the v2 message; `scaling.minInstanceCount` is a nested field. */
  readonly path: string;
  readonly annotation: string;
  readonly write: (value: unknown) => string;
  /** Converts the annotation's text to the field's value; undefined for a default, which the wire format omits. */
  readonly parse: (text: string) => unknown;
}

const RUN = "run.googleapis.com";

const text = (path: string, annotation: string): AnnotationField => ({
  path,
  annotation,
  write: String,
  parse: (value) => value || undefined,
});
const boolean = (path: string, annotation: string): AnnotationField => ({
  path,
  annotation,
  write: String,
  parse: (value) => /^true$/i.test(value) || undefined,
});
const integer = (path: string, annotation: string): AnnotationField => ({
  path,
  annotation,
  // Zero equals the default, except in manual scaling.
  write: (value) => (value === 0 && !path.endsWith("manualInstanceCount") ? "" : String(value)),
  parse: Number,
});
const json = (path: string, annotation: string): AnnotationField => ({ path, annotation, write: JSON.stringify, parse: parseJson });
const choice = (path: string, annotation: string, texts: Readonly<Record<string, string>>): AnnotationField => ({
  path,
  annotation,
  write: (value) => texts[value as string] ?? "",
  parse: (value) => Object.entries(texts).find(([, text]) => text === value)?.[0],
});

const CLIENT = [text("client", `${RUN}/client-name`), text("clientVersion", `${RUN}/client-version`)];

/** https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services#Service */
export const SERVICE_FIELDS: readonly AnnotationField[] = [
  ...CLIENT,
  text("description", `${RUN}/description`),
  // GA is shown by default, so it isn't stored.
  { ...text("launchStage", `${RUN}/launch-stage`), write: (stage) => (stage === "GA" ? "" : String(stage)) },
  choice("ingress", `${RUN}/ingress`, {
    INGRESS_TRAFFIC_ALL: "all",
    INGRESS_TRAFFIC_INTERNAL_ONLY: "internal",
    INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER: "internal-and-cloud-load-balancing",
    INGRESS_TRAFFIC_NONE: "none",
  }),
  boolean("invokerIamDisabled", `${RUN}/invoker-iam-disabled`),
  boolean("defaultUriDisabled", `${RUN}/default-url-disabled`),
  boolean("iapEnabled", `${RUN}/iap-enabled`),
  json("customAudiences", `${RUN}/custom-audiences`),
  choice("scaling.scalingMode", `${RUN}/scalingMode`, { AUTOMATIC: "automatic", MANUAL: "manual" }),
  integer("scaling.manualInstanceCount", `${RUN}/manualInstanceCount`),
  integer("scaling.minInstanceCount", `${RUN}/minScale`),
  integer("scaling.maxInstanceCount", `${RUN}/maxScale`),
];

/** https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services#RevisionTemplate */
export const TEMPLATE_FIELDS: readonly AnnotationField[] = [
  ...CLIENT,
  integer("scaling.minInstanceCount", "autoscaling.knative.dev/minScale"),
  integer("scaling.maxInstanceCount", "autoscaling.knative.dev/maxScale"),
  boolean("sessionAffinity", `${RUN}/sessionAffinity`),
  boolean("healthCheckDisabled", `${RUN}/health-check-disabled`),
  choice("executionEnvironment", `${RUN}/execution-environment`, {
    EXECUTION_ENVIRONMENT_GEN1: "gen1",
    EXECUTION_ENVIRONMENT_GEN2: "gen2",
  }),
  text("encryptionKey", `${RUN}/encryption-key`),
  text("serviceMesh.mesh", `${RUN}/mesh`),
  text("vpcAccess.connector", `${RUN}/vpc-access-connector`),
  choice("vpcAccess.egress", `${RUN}/vpc-access-egress`, { ALL_TRAFFIC: "all-traffic", PRIVATE_RANGES_ONLY: "private-ranges-only" }),
  json("vpcAccess.networkInterfaces", `${RUN}/network-interfaces`),
];

/** The v1 annotations of the fields that are set in a v2 message. */
export function fieldsToAnnotations(fields: readonly AnnotationField[], message: Message): Record<string, string> {
  const written = fields.map(({ path, annotation, write }) => {
    const value = path.split(".").reduce<unknown>((at, name) => (at as Message | undefined)?.[name], message);
    return [annotation, value === undefined || value === false || value === "" ? "" : write(value)] as const;
  });
  return Object.fromEntries(written.filter(([, value]) => value !== ""));
}

export function annotationsToFields(fields: readonly AnnotationField[], annotations: Readonly<Record<string, string>>): Message {
  const message: Record<string, unknown> = {};
  for (const { path, annotation, parse } of fields) {
    const value = annotations[annotation] === undefined ? undefined : parse(annotations[annotation]);
    if (value === undefined) continue;
    const [name = "", inner] = path.split(".");
    message[name] = inner === undefined ? value : { ...(message[name] as Message | undefined), [inner]: value };
  }
  return message;
}

/** Whether a label or annotation is Google's: v2 has fields instead. */
export function isSystemKey(key: string): boolean {
  return /^([\w.-]+\.)?(run\.googleapis\.com|cloud\.googleapis\.com|serving\.knative\.dev|autoscaling\.knative\.dev)\//.test(key);
}

export function userKeys(map: Readonly<Record<string, string>> = {}): Message | undefined {
  const entries = Object.entries(map).filter(([key]) => !isSystemKey(key));
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

/** Google's annotations without a field in v2. */
export function unmappedKeys(fields: readonly AnnotationField[], map: Readonly<Record<string, string>> = {}): Record<string, string> {
  const known = new Set(fields.map(({ annotation }) => annotation));
  return Object.fromEntries(Object.entries(map).filter(([key]) => isSystemKey(key) && !known.has(key)));
}

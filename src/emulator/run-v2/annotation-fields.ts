/** A message of the API as JSON. */
export type Message = Readonly<Record<string, unknown>>;

/** A field of v2 that v1 keeps as an annotation. */
interface AnnotationField {
  /** Its name in the v2 message; `scaling.minInstanceCount` is a field of a field. */
  readonly path: string;
  readonly annotation: string;
  /** The annotation's text for a value that is set. */
  readonly write: (value: unknown) => string;
  /** The value that the annotation's text stands for; undefined where it is the field's default, which the wire leaves out. */
  readonly show: (text: string) => unknown;
}

const RUN = "run.googleapis.com";

const text = (path: string, annotation: string): AnnotationField => ({
  path,
  annotation,
  write: String,
  show: (value) => value || undefined,
});
const flag = (path: string, annotation: string): AnnotationField => ({
  path,
  annotation,
  write: String,
  show: (value) => /^true$/i.test(value) || undefined,
});
const whole = (path: string, annotation: string): AnnotationField => ({
  path,
  annotation,
  // None and none said are the same, but for manual scaling.
  write: (value) => (value === 0 && !path.endsWith("manualInstanceCount") ? "" : String(value)),
  show: Number,
});
const json = (path: string, annotation: string): AnnotationField => ({ path, annotation, write: JSON.stringify, show: parseJson });
const choice = (path: string, annotation: string, texts: Readonly<Record<string, string>>): AnnotationField => ({
  path,
  annotation,
  write: (value) => texts[value as string] ?? "",
  show: (value) => Object.entries(texts).find(([, each]) => each === value)?.[0],
});

const CLIENT = [text("client", `${RUN}/client-name`), text("clientVersion", `${RUN}/client-version`)];

/** https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services#Service */
export const SERVICE_FIELDS: readonly AnnotationField[] = [
  ...CLIENT,
  text("description", `${RUN}/description`),
  // What is shown where nothing is said is nothing that was said.
  { ...text("launchStage", `${RUN}/launch-stage`), write: (stage) => (stage === "GA" ? "" : String(stage)) },
  choice("ingress", `${RUN}/ingress`, {
    INGRESS_TRAFFIC_ALL: "all",
    INGRESS_TRAFFIC_INTERNAL_ONLY: "internal",
    INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER: "internal-and-cloud-load-balancing",
    INGRESS_TRAFFIC_NONE: "none",
  }),
  flag("invokerIamDisabled", `${RUN}/invoker-iam-disabled`),
  flag("defaultUriDisabled", `${RUN}/default-url-disabled`),
  flag("iapEnabled", `${RUN}/iap-enabled`),
  json("customAudiences", `${RUN}/custom-audiences`),
  choice("scaling.scalingMode", `${RUN}/scalingMode`, { AUTOMATIC: "automatic", MANUAL: "manual" }),
  whole("scaling.manualInstanceCount", `${RUN}/manualInstanceCount`),
  whole("scaling.minInstanceCount", `${RUN}/minScale`),
  whole("scaling.maxInstanceCount", `${RUN}/maxScale`),
];

/** https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services#RevisionTemplate */
export const TEMPLATE_FIELDS: readonly AnnotationField[] = [
  ...CLIENT,
  whole("scaling.minInstanceCount", "autoscaling.knative.dev/minScale"),
  whole("scaling.maxInstanceCount", "autoscaling.knative.dev/maxScale"),
  flag("sessionAffinity", `${RUN}/sessionAffinity`),
  flag("healthCheckDisabled", `${RUN}/health-check-disabled`),
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

/** The annotations that v1 has for the fields that are set in a v2 message. */
export function writeAnnotations(fields: readonly AnnotationField[], message: Message): Record<string, string> {
  const written = fields.map(({ path, annotation, write }) => {
    const value = path.split(".").reduce<unknown>((at, name) => (at as Message | undefined)?.[name], message);
    return [annotation, value === undefined || value === false || value === "" ? "" : write(value)] as const;
  });
  return Object.fromEntries(written.filter(([, value]) => value !== ""));
}

/** The v2 fields that v1's annotations stand for. */
export function showAnnotations(fields: readonly AnnotationField[], annotations: Readonly<Record<string, string>>): Message {
  const message: Record<string, unknown> = {};
  for (const { path, annotation, show } of fields) {
    const value = annotations[annotation] === undefined ? undefined : show(annotations[annotation]);
    if (value === undefined) continue;
    const [name = "", inner] = path.split(".");
    message[name] = inner === undefined ? value : { ...(message[name] as Message | undefined), [inner]: value };
  }
  return message;
}

/** Whether a label or annotation is Google's own: v2 has fields instead. */
export function isSystemKey(key: string): boolean {
  return /^([\w.-]+\.)?(run\.googleapis\.com|cloud\.googleapis\.com|serving\.knative\.dev|autoscaling\.knative\.dev)\//.test(key);
}

/** The labels or annotations that are the user's. */
export function ownKeys(map: Readonly<Record<string, string>> = {}): Message | undefined {
  const own = Object.entries(map).filter(([key]) => !isSystemKey(key));
  return own.length > 0 ? Object.fromEntries(own) : undefined;
}

/** Google's own annotations that no field of v2 stands for. */
export function foreignKeys(fields: readonly AnnotationField[], map: Readonly<Record<string, string>> = {}): Record<string, string> {
  const known = new Set(fields.map(({ annotation }) => annotation));
  return Object.fromEntries(Object.entries(map).filter(([key]) => isSystemKey(key) && !known.has(key)));
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

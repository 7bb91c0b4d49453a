import * as v from "valibot";
import { invalidArgument } from "../server/errors.ts";
import type { Message } from "./annotation-fields.ts";

const StringField = v.string();
const BooleanField = v.boolean();
const StringMap = v.record(StringField, StringField);
// Proto3's JSON also accepts numbers as strings.
const IntegerField = v.pipe(v.union([v.number(), v.pipe(StringField, v.regex(/^-?\d+$/))]), v.transform(Number), v.integer());
const Seconds = v.pipe(
  StringField,
  v.regex(/^\d+(\.0+)?s$/, "expected a whole number of seconds, such as 300s"),
  v.transform((value) => Number.parseInt(value, 10)),
);
const ReadOnly = v.optional(v.unknown());
// Unlike Cloud Run: v2 rejects GPUs, SSH, functions to build, several regions, sandboxes, binary authorization and key revocation unless they are off.
const NotEmulated = v.pipe(v.unknown(), v.check(isUnset, "the emulator doesn't support this field"));

/** An enum: one of the names, whose numbers start at 1, or such a number; an unspecified value counts as not set. */
const choice = (...names: readonly string[]) =>
  v.pipe(
    v.union([StringField, v.number()]),
    v.transform((value) =>
      typeof value === "number" ? (["", ...names][value] ?? String(value)) : value.replace(/\w*_UN(SPECIFIED|DEFINED)$/, ""),
    ),
    v.check((value) => value === "" || names.includes(value), `expected one of ${names.join(", ")}`),
    v.transform((value) => value || undefined),
  );
const optional = <T extends v.ObjectEntries>(entries: T) =>
  v.strictObject(
    Object.fromEntries(Object.entries(entries).map(([name, schema]) => [name, v.optional(schema as v.GenericSchema)])) as {
      [Name in keyof T]: v.OptionalSchema<T[Name], undefined>;
    },
  );

const Probe = optional({
  initialDelaySeconds: IntegerField,
  timeoutSeconds: IntegerField,
  periodSeconds: IntegerField,
  failureThreshold: IntegerField,
  httpGet: optional({ path: StringField, port: IntegerField, httpHeaders: v.array(optional({ name: StringField, value: StringField })) }),
  tcpSocket: optional({ port: IntegerField }),
  grpc: optional({ port: IntegerField, service: StringField }),
});

const Container = optional({
  name: StringField,
  image: StringField,
  command: v.array(StringField),
  args: v.array(StringField),
  env: v.array(
    optional({
      name: StringField,
      value: StringField,
      valueSource: optional({ secretKeyRef: optional({ secret: StringField, version: StringField }) }),
    }),
  ),
  resources: optional({ limits: StringMap, cpuIdle: BooleanField, startupCpuBoost: BooleanField }),
  ports: v.array(optional({ name: StringField, containerPort: IntegerField })),
  volumeMounts: v.array(optional({ name: StringField, mountPath: StringField, subPath: StringField })),
  workingDir: StringField,
  livenessProbe: Probe,
  startupProbe: Probe,
  readinessProbe: Probe,
  dependsOn: v.array(StringField),
  baseImageUri: StringField,
  buildInfo: ReadOnly,
  sourceCode: NotEmulated,
  sandboxLauncher: NotEmulated,
});

const Volume = optional({
  name: StringField,
  secret: optional({
    secret: StringField,
    defaultMode: IntegerField,
    items: v.array(optional({ path: StringField, version: StringField, mode: IntegerField })),
  }),
  cloudSqlInstance: optional({ instances: v.array(StringField) }),
  emptyDir: optional({ medium: choice("MEMORY"), sizeLimit: StringField }),
  nfs: optional({ server: StringField, path: StringField, readOnly: BooleanField }),
  gcs: optional({ bucket: StringField, readOnly: BooleanField, mountOptions: v.array(StringField) }),
});

const Template = optional({
  revision: StringField,
  labels: StringMap,
  annotations: StringMap,
  client: StringField,
  clientVersion: StringField,
  scaling: optional({
    minInstanceCount: IntegerField,
    maxInstanceCount: IntegerField,
    cpuUtilization: NotEmulated,
    concurrencyUtilization: NotEmulated,
  }),
  vpcAccess: optional({
    connector: StringField,
    egress: choice("ALL_TRAFFIC", "PRIVATE_RANGES_ONLY"),
    networkInterfaces: v.array(optional({ network: StringField, subnetwork: StringField, tags: v.array(StringField) })),
  }),
  timeout: Seconds,
  serviceAccount: StringField,
  containers: v.array(Container),
  volumes: v.array(Volume),
  executionEnvironment: choice("EXECUTION_ENVIRONMENT_GEN1", "EXECUTION_ENVIRONMENT_GEN2"),
  encryptionKey: StringField,
  encryptionKeyRevocationAction: NotEmulated,
  encryptionKeyShutdownDuration: NotEmulated,
  nodeSelector: NotEmulated,
  gpuZonalRedundancyDisabled: NotEmulated,
  maxInstanceRequestConcurrency: IntegerField,
  serviceMesh: optional({ mesh: StringField }),
  sessionAffinity: BooleanField,
  healthCheckDisabled: BooleanField,
});

const Target = optional({
  type: choice("TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"),
  revision: StringField,
  percent: IntegerField,
  tag: StringField,
});

const OUTPUT_ONLY = [
  ...([
    "uid",
    "generation",
    "createTime",
    "updateTime",
    "deleteTime",
    "expireTime",
    "creator",
    "lastModifier",
    "observedGeneration",
  ] as const),
  ...(["terminalCondition", "conditions", "latestReadyRevision", "latestCreatedRevision", "trafficStatuses", "uri", "urls"] as const),
  ...(["satisfiesPzs", "reconciling", "threatDetectionEnabled"] as const),
];

const Service = optional({
  name: StringField,
  description: StringField,
  labels: StringMap,
  annotations: StringMap,
  client: StringField,
  clientVersion: StringField,
  ingress: choice("INGRESS_TRAFFIC_ALL", "INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER", "INGRESS_TRAFFIC_NONE"),
  launchStage: choice("EARLY_ACCESS", "ALPHA", "BETA", "GA", "DEPRECATED", "UNIMPLEMENTED", "PRELAUNCH"),
  template: Template,
  traffic: v.array(Target),
  scaling: optional({
    minInstanceCount: IntegerField,
    maxInstanceCount: IntegerField,
    manualInstanceCount: IntegerField,
    scalingMode: choice("AUTOMATIC", "MANUAL"),
  }),
  invokerIamDisabled: BooleanField,
  defaultUriDisabled: BooleanField,
  iapEnabled: BooleanField,
  sshEnabled: NotEmulated,
  buildConfig: NotEmulated,
  binaryAuthorization: NotEmulated,
  multiRegionSettings: NotEmulated,
  customAudiences: v.array(StringField),
  etag: StringField,
  ...(Object.fromEntries(OUTPUT_ONLY.map((name) => [name, ReadOnly])) as Record<(typeof OUTPUT_ONLY)[number], typeof ReadOnly>),
});

/** A v2 client's Service without output-only fields. */
export type ServiceMessage = v.InferOutput<typeof Service>;
export type TemplateMessage = v.InferOutput<typeof Template>;
export type ContainerMessage = v.InferOutput<typeof Container>;
export type VolumeMessage = v.InferOutput<typeof Volume>;

/** Parses a Service with JSON field names. Throws ApiError INVALID_ARGUMENT for a field that is unknown or of the wrong type. */
export function parseServiceMessage(body: Message): ServiceMessage {
  const result = v.safeParse(Service, body);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const keys = (issue.path ?? []).map(({ key }) => key as string | number);
  const pathText = (path: readonly (string | number)[]) =>
    path.reduce<string>((text, key) => text + (typeof key === "number" ? `[${key}]` : `.${key}`), "service");
  if (issue.type !== "strict_object" || issue.expected !== "never")
    throw invalidArgument(`Invalid value at '${pathText(keys)}': ${issue.message}`);
  const name = keys.at(-1);
  const parent = pathText(keys.slice(0, -1));
  throw invalidArgument(`Invalid JSON payload received. Unknown name "${name}" at '${parent}': Cannot find field.`);
}

/** Whether a value is proto3's default, which clients send too. */
function isUnset(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return !value || /_UNSPECIFIED$|^0s$/.test(String(value));
  return Object.values(value).every(isUnset);
}

const MAP_FIELDS = new Set(["labels", "annotations", "limits"]);

/** Converts field names to JSON's spelling: proto3 accepts both spellings of a field, and null for an unset one. */
export function camelizeFields(message: Message): Message {
  return Object.fromEntries(
    Object.entries(message)
      .filter(([, member]) => member !== null)
      .map(([name, member]) => [camelizeName(name), MAP_FIELDS.has(name) ? member : camelize(member)]),
  );
}

function camelize(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelize);
  return typeof value === "object" && value !== null ? camelizeFields(value as Message) : value;
}

export function camelizeName(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

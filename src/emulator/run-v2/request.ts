import * as v from "valibot";
import { ApiError } from "../server/errors.ts";
import type { Message } from "./annotation-fields.ts";

const Text = v.string();
const Flag = v.boolean();
const Texts = v.record(Text, Text);
// Proto3's JSON takes a number as text, too.
const Whole = v.pipe(v.union([v.number(), v.pipe(Text, v.regex(/^-?\d+$/))]), v.transform(Number), v.integer());
const Seconds = v.pipe(
  Text,
  v.regex(/^\d+(\.0+)?s$/, "a whole number of seconds, like 300s, is expected"),
  v.transform((value) => Number.parseInt(value, 10)),
);
const ReadOnly = v.optional(v.unknown());
// Unlike Cloud Run: GPUs, SSH, functions to build, several regions, sandboxes, binary authorization and revoked keys are refused by v2 unless they are off.
const NotEmulated = v.pipe(v.unknown(), v.check(isUnset, "the emulator does not have this"));

/** One of Google's names, in the order of their numbers from 1, or its number; what is unspecified is not set. */
const choice = (...names: readonly string[]) =>
  v.pipe(
    v.union([Text, v.number()]),
    v.transform((value) =>
      typeof value === "number" ? (["", ...names][value] ?? String(value)) : value.replace(/\w*_UN(SPECIFIED|DEFINED)$/, ""),
    ),
    v.check((value) => value === "" || names.includes(value), `one of ${names.join(", ")} is expected`),
    v.transform((value) => value || undefined),
  );
const optional = <T extends v.ObjectEntries>(entries: T) =>
  v.strictObject(
    Object.fromEntries(Object.entries(entries).map(([name, schema]) => [name, v.optional(schema as v.GenericSchema)])) as {
      [Name in keyof T]: v.OptionalSchema<T[Name], undefined>;
    },
  );

const Probe = optional({
  initialDelaySeconds: Whole,
  timeoutSeconds: Whole,
  periodSeconds: Whole,
  failureThreshold: Whole,
  httpGet: optional({ path: Text, port: Whole, httpHeaders: v.array(optional({ name: Text, value: Text })) }),
  tcpSocket: optional({ port: Whole }),
  grpc: optional({ port: Whole, service: Text }),
});

const Container = optional({
  name: Text,
  image: Text,
  command: v.array(Text),
  args: v.array(Text),
  env: v.array(optional({ name: Text, value: Text, valueSource: optional({ secretKeyRef: optional({ secret: Text, version: Text }) }) })),
  resources: optional({ limits: Texts, cpuIdle: Flag, startupCpuBoost: Flag }),
  ports: v.array(optional({ name: Text, containerPort: Whole })),
  volumeMounts: v.array(optional({ name: Text, mountPath: Text, subPath: Text })),
  workingDir: Text,
  livenessProbe: Probe,
  startupProbe: Probe,
  readinessProbe: Probe,
  dependsOn: v.array(Text),
  baseImageUri: Text,
  buildInfo: ReadOnly,
  sourceCode: NotEmulated,
  sandboxLauncher: NotEmulated,
});

const Volume = optional({
  name: Text,
  secret: optional({
    secret: Text,
    defaultMode: Whole,
    items: v.array(optional({ path: Text, version: Text, mode: Whole })),
  }),
  cloudSqlInstance: optional({ instances: v.array(Text) }),
  emptyDir: optional({ medium: choice("MEMORY"), sizeLimit: Text }),
  nfs: optional({ server: Text, path: Text, readOnly: Flag }),
  gcs: optional({ bucket: Text, readOnly: Flag, mountOptions: v.array(Text) }),
});

const Template = optional({
  revision: Text,
  labels: Texts,
  annotations: Texts,
  client: Text,
  clientVersion: Text,
  scaling: optional({
    minInstanceCount: Whole,
    maxInstanceCount: Whole,
    cpuUtilization: NotEmulated,
    concurrencyUtilization: NotEmulated,
  }),
  vpcAccess: optional({
    connector: Text,
    egress: choice("ALL_TRAFFIC", "PRIVATE_RANGES_ONLY"),
    networkInterfaces: v.array(optional({ network: Text, subnetwork: Text, tags: v.array(Text) })),
  }),
  timeout: Seconds,
  serviceAccount: Text,
  containers: v.array(Container),
  volumes: v.array(Volume),
  executionEnvironment: choice("EXECUTION_ENVIRONMENT_GEN1", "EXECUTION_ENVIRONMENT_GEN2"),
  encryptionKey: Text,
  encryptionKeyRevocationAction: NotEmulated,
  encryptionKeyShutdownDuration: NotEmulated,
  nodeSelector: NotEmulated,
  gpuZonalRedundancyDisabled: NotEmulated,
  maxInstanceRequestConcurrency: Whole,
  serviceMesh: optional({ mesh: Text }),
  sessionAffinity: Flag,
  healthCheckDisabled: Flag,
});

const Target = optional({
  type: choice("TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"),
  revision: Text,
  percent: Whole,
  tag: Text,
});

const OutputOnly = {
  uid: ReadOnly,
  generation: ReadOnly,
  createTime: ReadOnly,
  updateTime: ReadOnly,
  deleteTime: ReadOnly,
  expireTime: ReadOnly,
  creator: ReadOnly,
  lastModifier: ReadOnly,
  observedGeneration: ReadOnly,
  terminalCondition: ReadOnly,
  conditions: ReadOnly,
  latestReadyRevision: ReadOnly,
  latestCreatedRevision: ReadOnly,
  trafficStatuses: ReadOnly,
  uri: ReadOnly,
  urls: ReadOnly,
  satisfiesPzs: ReadOnly,
  reconciling: ReadOnly,
  threatDetectionEnabled: ReadOnly,
};

const Service = optional({
  name: Text,
  description: Text,
  labels: Texts,
  annotations: Texts,
  client: Text,
  clientVersion: Text,
  ingress: choice("INGRESS_TRAFFIC_ALL", "INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER", "INGRESS_TRAFFIC_NONE"),
  launchStage: choice("EARLY_ACCESS", "ALPHA", "BETA", "GA", "DEPRECATED", "UNIMPLEMENTED", "PRELAUNCH"),
  template: Template,
  traffic: v.array(Target),
  scaling: optional({
    minInstanceCount: Whole,
    maxInstanceCount: Whole,
    manualInstanceCount: Whole,
    scalingMode: choice("AUTOMATIC", "MANUAL"),
  }),
  invokerIamDisabled: Flag,
  defaultUriDisabled: Flag,
  iapEnabled: Flag,
  sshEnabled: NotEmulated,
  buildConfig: NotEmulated,
  binaryAuthorization: NotEmulated,
  multiRegionSettings: NotEmulated,
  customAudiences: v.array(Text),
  etag: Text,
  ...OutputOnly,
});

/** A Service as a client of v2 sends it; what is output only is not in it. */
export type ServiceMessage = v.InferOutput<typeof Service>;
export type TemplateMessage = v.InferOutput<typeof Template>;
export type ContainerMessage = v.InferOutput<typeof Container>;
export type VolumeMessage = v.InferOutput<typeof Volume>;

/** Reads a Service whose fields have JSON's names; throws ApiError INVALID_ARGUMENT for one that is not known or of the wrong type. */
export function parseServiceMessage(body: Message): ServiceMessage {
  const result = v.safeParse(Service, body);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const keys = (issue.path ?? []).map(({ key }) => key as string | number);
  const at = (path: readonly (string | number)[]) =>
    path.reduce<string>((whole, key) => whole + (typeof key === "number" ? `[${key}]` : `.${key}`), "service");
  if (issue.type !== "strict_object" || issue.expected !== "never")
    throw new ApiError("INVALID_ARGUMENT", `Invalid value at '${at(keys)}': ${issue.message}`);
  const name = keys.at(-1);
  const where = at(keys.slice(0, -1));
  throw new ApiError("INVALID_ARGUMENT", `Invalid JSON payload received. Unknown name "${name}" at '${where}': Cannot find field.`);
}

/** Whether a value is what proto3 takes for none; clients send these too. */
function isUnset(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return !value || /_UNSPECIFIED$|^0s$/.test(String(value));
  return Object.values(value).every(isUnset);
}

const MAPS = new Set(["labels", "annotations", "limits"]);

/** A message with JSON's names of its fields: proto3 takes a field by either spelling, and null for what is not set. */
export function camelizeFields(message: Message): Message {
  return Object.fromEntries(
    Object.entries(message)
      .filter(([, member]) => member !== null)
      .map(([name, member]) => [camelizeName(name), MAPS.has(name) ? member : camelize(member)]),
  );
}

function camelize(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelize);
  return typeof value === "object" && value !== null ? camelizeFields(value as Message) : value;
}

/** `max_instance_count` as `maxInstanceCount`. */
export function camelizeName(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

import * as v from "valibot";
import { invalidArgument } from "../server/errors.ts";

const StringMap = v.optional(v.record(v.string(), v.string()), {});
const Integer = v.pipe(v.number(), v.integer());
const Volume = v.looseObject({
  name: v.string(),
  secret: v.optional(
    v.looseObject({
      secretName: v.string(),
      items: v.optional(v.array(v.looseObject({ key: v.string(), path: v.string() }))),
    }),
  ),
});

const EnvironmentVariable = v.looseObject({
  name: v.string(),
  value: v.optional(v.string()),
  valueFrom: v.optional(v.looseObject({ secretKeyRef: v.optional(v.looseObject({ name: v.string(), key: v.string() })) })),
});

const Probe = v.looseObject({
  initialDelaySeconds: v.optional(Integer),
  periodSeconds: v.optional(Integer),
  timeoutSeconds: v.optional(Integer),
  failureThreshold: v.optional(Integer),
  tcpSocket: v.optional(v.looseObject({ port: v.optional(Integer) })),
  grpc: v.optional(v.looseObject({ port: v.optional(Integer), service: v.optional(v.string()) })),
  httpGet: v.optional(
    v.looseObject({
      path: v.optional(v.string()),
      httpHeaders: v.optional(v.array(v.looseObject({ name: v.string(), value: v.optional(v.string()) }))),
    }),
  ),
});

// Unlike Cloud Run: unknown fields of v1 services are stored and returned, and have no effect.
const Container = v.looseObject({
  image: v.optional(v.string(), ""),
  name: v.optional(v.string()),
  command: v.optional(v.array(v.string())),
  args: v.optional(v.array(v.string())),
  env: v.optional(v.array(EnvironmentVariable)),
  ports: v.optional(v.array(v.looseObject({ name: v.optional(v.string()), containerPort: v.optional(Integer) }))),
  resources: v.optional(v.looseObject({ limits: v.optional(v.record(v.string(), v.string())) })),
  volumeMounts: v.optional(v.array(v.looseObject({ name: v.string(), mountPath: v.string() }))),
  startupProbe: v.optional(Probe),
  livenessProbe: v.optional(Probe),
});

const Template = v.looseObject({
  metadata: v.optional(v.looseObject({ name: v.optional(v.string()), labels: StringMap, annotations: StringMap }), {}),
  spec: v.looseObject({
    containerConcurrency: v.optional(Integer),
    timeoutSeconds: v.optional(Integer),
    serviceAccountName: v.optional(v.string()),
    containers: v.optional(v.array(Container), []),
    volumes: v.optional(v.array(Volume)),
  }),
});

const Target = v.looseObject({
  revisionName: v.optional(v.string()),
  latestRevision: v.optional(v.boolean()),
  percent: v.optional(Integer),
  tag: v.optional(v.string()),
});

const Service = v.looseObject({
  apiVersion: v.literal("serving.knative.dev/v1"),
  kind: v.literal("Service"),
  metadata: v.looseObject({
    name: v.optional(v.string(), ""),
    namespace: v.optional(v.string()),
    resourceVersion: v.optional(v.string()),
    labels: StringMap,
    annotations: StringMap,
  }),
  spec: v.looseObject({ template: Template, traffic: v.optional(v.array(Target), []) }),
});

/** A client's Service with Google's field types; other rules aren't checked yet. */
export type ServiceRequest = v.InferOutput<typeof Service>;
export type ContainerRequest = v.InferOutput<typeof Container>;
export type TemplateRequest = v.InferOutput<typeof Template>;
export type TargetRequest = v.InferOutput<typeof Target>;

/** Parses the body of a create or replace request. Throws ApiError INVALID_ARGUMENT for a field of the wrong type. */
export function parseService(body: unknown): ServiceRequest {
  const withoutNulls: unknown = JSON.parse(JSON.stringify(body), (_, value: unknown) => value ?? undefined);
  const result = v.safeParse(Service, withoutNulls);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = (issue.path ?? []).map(({ key }) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  throw invalidArgument(`Invalid value at 'service${path}': ${issue.message}`);
}

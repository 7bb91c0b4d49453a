import type { Service, Instances, Revision, Variable } from "../service.ts";

type Annotations = Readonly<Record<string, string>>;

/** The fields of https://cloud.google.com/run/docs/reference/rest/v1/RevisionSpec that are read. */
export interface KnativeRevisionSpec {
  readonly serviceAccountName?: string;
  readonly containerConcurrency?: number;
  readonly timeoutSeconds?: number;
  readonly containers?: readonly {
    readonly image?: string;
    readonly ports?: readonly { readonly containerPort?: number }[];
    readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
    readonly env?: readonly KnativeVariable[];
  }[];
}

export interface KnativeVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef?: { readonly name?: string; readonly key?: string } };
}

export interface KnativeCondition {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

/** The fields of https://cloud.google.com/run/docs/reference/rest/v1/namespaces.revisions that are read. */
export interface KnativeRevision {
  readonly metadata?: { readonly name?: string; readonly creationTimestamp?: string; readonly annotations?: Annotations };
  readonly spec?: KnativeRevisionSpec;
  readonly status?: { readonly conditions?: readonly KnativeCondition[]; readonly imageDigest?: string };
}

/** A service's revisions, the newest first, each with its part of the service's traffic. */
export function readRevisions(revisions: readonly KnativeRevision[], { traffic }: Service): Revision[] {
  return revisions
    .map((revision) => readRevision(revision, traffic))
    .sort((a, b) => (a.created === b.created ? (a.revision < b.revision ? 1 : -1) : a.created < b.created ? 1 : -1));
}

function readRevision({ metadata, spec, status }: KnativeRevision, traffic: Service["traffic"]): Revision {
  const name = metadata?.name ?? "";
  const targets = traffic.filter(({ revision }) => revision === name);
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  const isReady = ready?.status === "True" ? true : ready?.status === "False" ? false : null;
  return {
    revision: name,
    created: metadata?.creationTimestamp ?? "",
    creator: metadata?.annotations?.["serving.knative.dev/creator"] || null,
    ready: isReady,
    reason: isReady ? null : (ready?.reason ?? null),
    message: isReady ? null : (ready?.message ?? null),
    image_digest: status?.imageDigest ?? null,
    percent: targets.reduce((sum, { percent }) => sum + percent, 0),
    tags: targets.flatMap(({ tag }) => tag ?? []),
    ...readInstances(spec, metadata?.annotations),
  };
}

export function readInstances(spec: KnativeRevisionSpec = {}, annotations: Annotations = {}): Instances {
  const [container] = spec.containers ?? [];
  const { [`autoscaling.knative.dev/minScale`]: minScale, [`autoscaling.knative.dev/maxScale`]: maxScale } = annotations;
  return {
    image: container?.image ?? null,
    service_account: spec.serviceAccountName ?? null,
    port: container?.ports?.[0]?.containerPort ?? null,
    cpu: container?.resources?.limits?.["cpu"] ?? null,
    memory: container?.resources?.limits?.["memory"] ?? null,
    min_instances: Number(minScale ?? 0),
    max_instances: maxScale === undefined ? null : Number(maxScale),
    concurrency: spec.containerConcurrency ?? null,
    timeout: spec.timeoutSeconds ?? null,
    // gcloud writes `False`, other clients `false`.
    cpu_always_allocated: annotations["run.googleapis.com/cpu-throttling"]?.toLowerCase() === "false",
  };
}

/** The variables of a spec's container; the values of secrets are not read. */
export function readVariables({ containers }: KnativeRevisionSpec = {}): Variable[] {
  return (containers?.[0]?.env ?? []).map(({ name, value, valueFrom }) => {
    const { name: secret, key } = valueFrom?.secretKeyRef ?? {};
    return secret === undefined
      ? { name, value: value ?? "", secret: null }
      : { name, value: null, secret: { name: secret, version: key ?? "latest" } };
  });
}

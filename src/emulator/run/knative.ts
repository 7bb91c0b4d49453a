export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly selfLink?: string;
  readonly uid: string;
  readonly generation: number;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason?: string;
  readonly message?: string;
  readonly severity?: string;
  readonly lastTransitionTime: string;
}

export interface TrafficTarget {
  readonly revisionName?: string;
  readonly percent?: number;
  readonly tag?: string;
  readonly latestRevision?: boolean;
  readonly url?: string;
}

export interface Container {
  readonly image: string;
  readonly name?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    /** A secret's name and version. */
    readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } };
  }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort?: number }[];
  readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
  readonly startupProbe?: Readonly<Record<string, unknown>>;
  readonly livenessProbe?: Readonly<Record<string, unknown>>;
}

interface Volume {
  readonly name: string;
  /** Without items, the file has the secret's name and its latest version. */
  readonly secret?: { readonly secretName: string; readonly items?: readonly { readonly key: string; readonly path: string }[] };
}

interface RevisionSpec {
  readonly containerConcurrency?: number;
  readonly timeoutSeconds?: number;
  readonly serviceAccountName?: string;
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[];
}

export interface KnativeService {
  readonly apiVersion: "serving.knative.dev/v1";
  readonly kind: "Service";
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly template: { readonly metadata?: Partial<ObjectMeta>; readonly spec: RevisionSpec };
    readonly traffic: readonly TrafficTarget[];
  };
  readonly status: {
    readonly observedGeneration: number;
    readonly conditions: readonly Condition[];
    readonly latestCreatedRevisionName?: string;
    readonly latestReadyRevisionName?: string;
    readonly traffic: readonly TrafficTarget[];
    readonly url: string;
    readonly address: { readonly url: string };
  };
}

export interface KnativeRevision {
  readonly apiVersion: "serving.knative.dev/v1";
  readonly kind: "Revision";
  readonly metadata: ObjectMeta;
  readonly spec: RevisionSpec;
  readonly status: {
    readonly observedGeneration: number;
    readonly conditions: readonly Condition[];
    readonly imageDigest?: string;
    readonly logUrl?: string;
  };
}

/** Whether an annotation is true: gcloud writes `True`, other clients `true`. */
export function isAnnotationTrue({ metadata }: Pick<KnativeService, "metadata">, name: string): boolean {
  return metadata.annotations[name]?.toLowerCase() === "true";
}

import type { ContainerRequest, TargetRequest, TemplateRequest } from "./service-request.ts";

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

export interface TrafficTarget extends TargetRequest {
  readonly url?: string;
}

export type Container = ContainerRequest;
type RevisionSpec = TemplateRequest["spec"];

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

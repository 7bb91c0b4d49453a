import type { Container, KnativeService, TrafficTarget } from "./knative.ts";
import { parseCpu } from "./container-rules.ts";
import type { ContainerRequest, TargetRequest, TemplateRequest } from "./service-request.ts";

const PROBE_LABEL = "run.googleapis.com/startupProbeType";

/** Fills in a template's defaults as Cloud Run does. `serviceAccount` is the project's default one. */
export function fillTemplate({ metadata, spec, ...rest }: TemplateRequest, serviceAccount: string): KnativeService["spec"]["template"] {
  const container = fillContainer(spec.containers[0] as ContainerRequest);
  const cpu = parseCpu(container.resources?.limits?.["cpu"] ?? "") ?? 1;
  const { [PROBE_LABEL]: _, ...labels } = metadata.labels;
  return {
    ...rest,
    metadata: {
      ...metadata,
      labels: { ...labels, [PROBE_LABEL]: isDefaultProbe(container.startupProbe) ? "Default" : "Custom" },
      annotations: { "autoscaling.knative.dev/maxScale": "100", ...metadata.annotations },
    },
    spec: {
      ...spec,
      containerConcurrency: spec.containerConcurrency || (cpu < 1 ? 1 : 80),
      timeoutSeconds: spec.timeoutSeconds ?? 300,
      serviceAccountName: spec.serviceAccountName || serviceAccount,
      containers: [container],
    },
  };
}

export function fillTraffic(traffic: readonly TargetRequest[]): TrafficTarget[] {
  if (traffic.length === 0) return [{ percent: 100, latestRevision: true }];
  return traffic.map(({ percent, revisionName, latestRevision, tag }) => ({
    ...(percent !== undefined && { percent }),
    ...(revisionName && { revisionName }),
    ...(latestRevision && { latestRevision }),
    ...(tag && { tag }),
  }));
}

function fillContainer(container: ContainerRequest): Container {
  // gcloud sends an empty name for a single container.
  const { name, ports, resources, startupProbe, ...rest } = container;
  const { name: protocol, containerPort = 8080 } = ports?.[0] ?? {};
  return {
    ...rest,
    ...(name && { name }),
    ports: [{ ...ports?.[0], name: protocol || "http1", containerPort }],
    resources: { ...resources, limits: { cpu: "1000m", memory: "512Mi", ...resources?.limits } },
    // The default probe follows the port.
    startupProbe: isDefaultProbe(startupProbe)
      ? { timeoutSeconds: 240, periodSeconds: 240, failureThreshold: 1, tcpSocket: { port: containerPort } }
      : { timeoutSeconds: 1, periodSeconds: 10, failureThreshold: 3, ...startupProbe },
  };
}

function isDefaultProbe(probe: Container["startupProbe"]): boolean {
  return probe === undefined || (probe["periodSeconds"] === 240 && probe["failureThreshold"] === 1 && "tcpSocket" in probe);
}

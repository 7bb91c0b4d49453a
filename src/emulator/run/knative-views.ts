import type { KnativeService } from "./knative.ts";

/** A service's Configuration, derived from the service: https://cloud.google.com/run/docs/reference/rest/v1/namespaces.configurations */
export function configurationOf(service: KnativeService) {
  const { latestCreatedRevisionName, latestReadyRevisionName } = service.status;
  return createView(service, "Configuration", {
    spec: { template: service.spec.template },
    status: {
      ...(latestCreatedRevisionName && { latestCreatedRevisionName }),
      ...(latestReadyRevisionName && { latestReadyRevisionName }),
    },
  });
}

/** A service's Route, derived from the service: https://cloud.google.com/run/docs/reference/rest/v1/namespaces.routes */
export function routeOf(service: KnativeService) {
  const { traffic, url, address } = service.status;
  return createView(service, "Route", { spec: { traffic: service.spec.traffic }, status: { traffic, url, address } });
}

// Unlike Cloud Run: a configuration and a route have the uid of their service.
function createView<Kind extends "Configuration" | "Route">(
  { metadata, status }: KnativeService,
  kind: Kind,
  view: { readonly spec: object; readonly status: object },
) {
  const { name, namespace, uid } = metadata;
  const labels = { ...metadata.labels, "serving.knative.dev/service": name, "serving.knative.dev/serviceUid": uid };
  const selfLink = `/apis/serving.knative.dev/v1/namespaces/${namespace}/${kind.toLowerCase()}s/${name}`;
  const ready = status.conditions.filter(({ type }) => type === `${kind}sReady`).map((condition) => ({ ...condition, type: "Ready" }));
  return {
    apiVersion: "serving.knative.dev/v1" as const,
    kind,
    metadata: { ...metadata, labels, selfLink },
    spec: view.spec,
    status: { observedGeneration: status.observedGeneration, conditions: ready, ...view.status },
  };
}

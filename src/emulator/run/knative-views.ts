import type { KnativeService, ObjectMeta } from "./knative.ts";

interface KnativeView<Kind extends string> {
  readonly apiVersion: "serving.knative.dev/v1";
  readonly kind: Kind;
  readonly metadata: ObjectMeta;
  readonly spec: object;
  readonly status: object;
}

/** A service's Configuration, derived from the service: https://cloud.google.com/run/docs/reference/rest/v1/namespaces.configurations */
export function configurationOf(service: KnativeService): KnativeView<"Configuration"> {
  const { spec, status } = service;
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Configuration",
    metadata: derivedMetadata(service, "configurations"),
    spec: { template: spec.template },
    status: {
      observedGeneration: status.observedGeneration,
      conditions: readyFrom(service, "ConfigurationsReady"),
      ...(status.latestCreatedRevisionName && { latestCreatedRevisionName: status.latestCreatedRevisionName }),
      ...(status.latestReadyRevisionName && { latestReadyRevisionName: status.latestReadyRevisionName }),
    },
  };
}

/** A service's Route, derived from the service: https://cloud.google.com/run/docs/reference/rest/v1/namespaces.routes */
export function routeOf(service: KnativeService): KnativeView<"Route"> {
  const { spec, status } = service;
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Route",
    metadata: derivedMetadata(service, "routes"),
    spec: { traffic: spec.traffic },
    status: {
      observedGeneration: status.observedGeneration,
      conditions: readyFrom(service, "RoutesReady"),
      traffic: status.traffic,
      url: status.url,
      address: status.address,
    },
  };
}

// Unlike Cloud Run: a configuration and a route have the uid of their service.
function derivedMetadata({ metadata }: KnativeService, plural: string): ObjectMeta {
  const labels = { ...metadata.labels, "serving.knative.dev/service": metadata.name, "serving.knative.dev/serviceUid": metadata.uid };
  return { ...metadata, labels, selfLink: `/apis/serving.knative.dev/v1/namespaces/${metadata.namespace}/${plural}/${metadata.name}` };
}

function readyFrom({ status }: KnativeService, type: string): object[] {
  return status.conditions.filter((condition) => condition.type === type).map((condition) => ({ ...condition, type: "Ready" }));
}

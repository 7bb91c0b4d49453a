import type { KnativeService, ObjectMeta } from "./knative.ts";

interface Derived<Kind extends string> {
  readonly apiVersion: "serving.knative.dev/v1";
  readonly kind: Kind;
  readonly metadata: ObjectMeta;
  readonly spec: object;
  readonly status: object;
}

/** The Configuration of a service, which is a view of it: https://cloud.google.com/run/docs/reference/rest/v1/namespaces.configurations */
export function configurationOf(service: KnativeService): Derived<"Configuration"> {
  const { spec, status } = service;
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Configuration",
    metadata: derive(service, "configurations"),
    spec: { template: spec.template },
    status: {
      observedGeneration: status.observedGeneration,
      conditions: readyAs(service, "ConfigurationsReady"),
      ...(status.latestCreatedRevisionName && { latestCreatedRevisionName: status.latestCreatedRevisionName }),
      ...(status.latestReadyRevisionName && { latestReadyRevisionName: status.latestReadyRevisionName }),
    },
  };
}

/** The Route of a service, which is a view of it: https://cloud.google.com/run/docs/reference/rest/v1/namespaces.routes */
export function routeOf(service: KnativeService): Derived<"Route"> {
  const { spec, status } = service;
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Route",
    metadata: derive(service, "routes"),
    spec: { traffic: spec.traffic },
    status: {
      observedGeneration: status.observedGeneration,
      conditions: readyAs(service, "RoutesReady"),
      traffic: status.traffic,
      url: status.url,
      address: status.address,
    },
  };
}

// Unlike Cloud Run: a configuration and a route have the uid of their service.
function derive({ metadata }: KnativeService, plural: string): ObjectMeta {
  const labels = { ...metadata.labels, "serving.knative.dev/service": metadata.name, "serving.knative.dev/serviceUid": metadata.uid };
  return { ...metadata, labels, selfLink: `/apis/serving.knative.dev/v1/namespaces/${metadata.namespace}/${plural}/${metadata.name}` };
}

function readyAs({ status }: KnativeService, type: string): object[] {
  return status.conditions.filter((each) => each.type === type).map((each) => ({ ...each, type: "Ready" }));
}

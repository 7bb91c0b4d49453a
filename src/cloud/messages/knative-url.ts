import type { ServiceName } from "../names.ts";

/** A service's URL in the v1 API, which is also the one that gcloud uses. */
export function serviceUrl({ project, region, service }: ServiceName): string {
  return `https://${region}-run.googleapis.com/apis/serving.knative.dev/v1/namespaces/${project}/services/${service}`;
}

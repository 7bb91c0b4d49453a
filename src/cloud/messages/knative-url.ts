import type { ServiceName } from "../names.ts";

/** The service as v1 has it, which is what gcloud shows. */
export function serviceUrl({ project, region, service }: ServiceName): string {
  return `https://${region}-run.googleapis.com/apis/serving.knative.dev/v1/namespaces/${project}/services/${service}`;
}

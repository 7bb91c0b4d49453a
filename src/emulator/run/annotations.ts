import type { KnativeService } from "./knative.ts";

/** Whether a service's annotation is on: gcloud writes `True`, other clients `true`. */
export function isOn({ metadata }: Pick<KnativeService, "metadata">, name: string): boolean {
  return metadata.annotations[name]?.toLowerCase() === "true";
}

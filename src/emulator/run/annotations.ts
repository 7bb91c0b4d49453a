import type { KnativeService } from "./knative.ts";

/** Whether an annotation is true: gcloud writes `True`, other clients `true`. */
export function isAnnotationTrue({ metadata }: Pick<KnativeService, "metadata">, name: string): boolean {
  return metadata.annotations[name]?.toLowerCase() === "true";
}

import type { KnativeService } from "./knative-service.ts";

export interface LabelChange {
  readonly set?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}

/** A service with other labels. As gcloud has it, its next revision gets all that the service has, and is another one. */
export function withLabels({ metadata, spec }: KnativeService, { set = {}, remove = [] }: LabelChange) {
  const labels = Object.fromEntries(Object.entries({ ...metadata?.labels, ...set }).filter(([name]) => !remove.includes(name)));
  // A new revision may not have the name of an earlier one.
  const { name: _, ...template } = spec?.template?.metadata ?? {};
  return {
    metadata: { ...metadata, labels },
    spec: { ...spec, template: { ...spec?.template, metadata: { ...template, labels } } },
  };
}

import type { KnativeService } from "./knative-service.ts";

export interface LabelChange {
  readonly set?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}

/** A service with changed labels. As with gcloud, its next revision gets all labels of the service. */
export function withLabels({ metadata, spec }: KnativeService, { set = {}, remove = [] }: LabelChange) {
  const labels = Object.fromEntries(Object.entries({ ...metadata?.labels, ...set }).filter(([name]) => !remove.includes(name)));
  // A new revision can't have the name of an earlier one.
  const { name: _, ...template } = spec?.template?.metadata ?? {};
  return {
    metadata: { ...metadata, labels },
    spec: { ...spec, template: { ...spec?.template, metadata: { ...template, labels } } },
  };
}

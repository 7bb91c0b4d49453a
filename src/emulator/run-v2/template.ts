import type { KnativeService, ObjectMeta } from "../run/knative.ts";
import { foreignKeys, ownKeys, showAnnotations, TEMPLATE_FIELDS, writeAnnotations, type Message } from "./annotation-fields.ts";
import { containerAnnotations, defined, isContainerAnnotation, readContainer, showContainer, type KnativeContainer } from "./container.ts";
import type { TemplateMessage } from "./request.ts";
import { isVolumeAnnotation, readVolumes, showVolumes, volumeAnnotations, type KnativeVolume } from "./volumes.ts";

type KnativeTemplate = KnativeService["spec"]["template"];

/** A template of v2 as v1 has it. Google's annotations and labels of the `current` one that v2 has no field for stay. */
export function readTemplate(message: TemplateMessage, current: KnativeTemplate | undefined): Message {
  const { containers = [], volumes = [], timeout, serviceAccount, maxInstanceRequestConcurrency, revision } = message;
  const kept = Object.entries(foreignKeys(TEMPLATE_FIELDS, current?.metadata?.annotations)).filter(
    ([name]) => !isContainerAnnotation(name) && !isVolumeAnnotation(name),
  );
  return {
    metadata: {
      ...defined({ name: revision }),
      labels: { ...foreignKeys([], current?.metadata?.labels), ...message.labels },
      annotations: {
        ...Object.fromEntries(kept),
        ...message.annotations,
        ...writeAnnotations(TEMPLATE_FIELDS, message),
        ...containerAnnotations(containers),
        ...volumeAnnotations(volumes),
      },
    },
    spec: {
      ...defined({ containerConcurrency: maxInstanceRequestConcurrency, timeoutSeconds: timeout, serviceAccountName: serviceAccount }),
      containers: containers.map(readContainer),
      ...(volumes.length > 0 && { volumes: readVolumes(volumes) }),
    },
  };
}

/** What v2 shows of a v1 template, or of a revision, which has the same. */
export function showTemplate(metadata: Pick<Partial<ObjectMeta>, "labels" | "annotations"> = {}, spec: KnativeTemplate["spec"]): Message {
  const { annotations = {} } = metadata;
  const { containers, volumes = [] } = spec as { containers: readonly KnativeContainer[]; volumes?: readonly KnativeVolume[] };
  const shown = showVolumes(volumes, annotations);
  return {
    ...defined({ labels: ownKeys(metadata.labels), annotations: ownKeys(annotations) }),
    ...showAnnotations(TEMPLATE_FIELDS, annotations),
    ...(spec.timeoutSeconds !== undefined && { timeout: `${spec.timeoutSeconds}s` }),
    ...defined({ serviceAccount: spec.serviceAccountName, maxInstanceRequestConcurrency: spec.containerConcurrency }),
    containers: containers.map((container) => showContainer(container, annotations)),
    ...(shown.length > 0 && { volumes: shown }),
  };
}

import type { KnativeService, ObjectMeta } from "../run/knative.ts";
import { unmappedKeys, userKeys, annotationsToFields, TEMPLATE_FIELDS, fieldsToAnnotations, type Message } from "./annotation-fields.ts";
import {
  containerAnnotations,
  setFields,
  isContainerAnnotation,
  toKnativeContainer,
  toContainerMessage,
  type KnativeContainer,
} from "./convert-container.ts";
import type { TemplateMessage } from "./service-schema.ts";
import { isVolumeAnnotation, toKnativeVolumes, toVolumeMessages, volumeAnnotations, type KnativeVolume } from "./convert-volumes.ts";

type KnativeTemplate = KnativeService["spec"]["template"];

/** Converts a template of v2 to v1. Google's annotations and labels of the `current` template without a field in v2 stay. */
export function toKnativeTemplate(message: TemplateMessage, current: KnativeTemplate | undefined): Message {
  const { containers = [], volumes = [], timeout, serviceAccount, maxInstanceRequestConcurrency, revision } = message;
  const unmapped = Object.entries(unmappedKeys(TEMPLATE_FIELDS, current?.metadata?.annotations)).filter(
    ([name]) => !isContainerAnnotation(name) && !isVolumeAnnotation(name),
  );
  return {
    metadata: {
      ...setFields({ name: revision }),
      labels: { ...unmappedKeys([], current?.metadata?.labels), ...message.labels },
      annotations: {
        ...Object.fromEntries(unmapped),
        ...message.annotations,
        ...fieldsToAnnotations(TEMPLATE_FIELDS, message),
        ...containerAnnotations(containers),
        ...volumeAnnotations(volumes),
      },
    },
    spec: {
      ...setFields({ containerConcurrency: maxInstanceRequestConcurrency, timeoutSeconds: timeout, serviceAccountName: serviceAccount }),
      containers: containers.map(toKnativeContainer),
      ...(volumes.length > 0 && { volumes: toKnativeVolumes(volumes) }),
    },
  };
}

export function toTemplateMessage(
  metadata: Pick<Partial<ObjectMeta>, "labels" | "annotations"> = {},
  spec: KnativeTemplate["spec"],
): Message {
  const { annotations = {} } = metadata;
  const { containers, volumes = [] } = spec as { containers: readonly KnativeContainer[]; volumes?: readonly KnativeVolume[] };
  const volumeMessages = toVolumeMessages(volumes, annotations);
  return {
    ...setFields({ labels: userKeys(metadata.labels), annotations: userKeys(annotations) }),
    ...annotationsToFields(TEMPLATE_FIELDS, annotations),
    ...(spec.timeoutSeconds !== undefined && { timeout: `${spec.timeoutSeconds}s` }),
    ...setFields({ serviceAccount: spec.serviceAccountName, maxInstanceRequestConcurrency: spec.containerConcurrency }),
    containers: containers.map((container) => toContainerMessage(container, annotations)),
    ...(volumeMessages.length > 0 && { volumes: volumeMessages }),
  };
}

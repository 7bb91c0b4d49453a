import type { Container } from "../run/knative.ts";
import { parseObject } from "../server/json.ts";
import type { Message } from "./annotation-fields.ts";
import type { ContainerMessage } from "./service-schema.ts";

/** A v1 container, including fields that the rest of the emulator doesn't use. */
export interface KnativeContainer extends Container {
  readonly workingDir?: string;
  readonly readinessProbe?: Message;
}

type Annotations = Readonly<Record<string, string>>;

const THROTTLING = "run.googleapis.com/cpu-throttling";
const BOOST = "run.googleapis.com/startup-cpu-boost";
const DEPENDENCIES = "run.googleapis.com/container-dependencies";
const BASE_IMAGES = "run.googleapis.com/base-images";

/** Converts a container of v2 to v1, except for the fields in `containerAnnotations`. */
export function toKnativeContainer(message: ContainerMessage): Message {
  const { env, resources } = message;
  return {
    ...commonFields(message),
    ...(resources?.limits && { resources: { limits: resources.limits } }),
    ...(env?.length && {
      env: env.map(({ name: variable = "", value, valueSource }) => {
        const { secret = "", version = "latest" } = valueSource?.secretKeyRef ?? {};
        return valueSource
          ? { name: variable, valueFrom: { secretKeyRef: { name: secret, key: version } } }
          : { name: variable, value: value ?? "" };
      }),
    }),
  };
}

/** The annotations of v1's template for containers of v2. */
export function containerAnnotations(containers: readonly ContainerMessage[]): Annotations {
  const resources = containers.flatMap((container) => container.resources ?? []);
  const dependencies = containers.flatMap(({ name = "", dependsOn }) => (dependsOn?.length ? [[name, dependsOn]] : []));
  const baseImages = containers.flatMap(({ name = "", baseImageUri }) => (baseImageUri ? [[name, baseImageUri]] : []));
  return {
    // If resources are set, cpuIdle must be set too.
    ...(resources.length > 0 && !resources.some(({ cpuIdle }) => cpuIdle) && { [THROTTLING]: "false" }),
    ...(resources.some(({ startupCpuBoost }) => startupCpuBoost) && { [BOOST]: "true" }),
    ...(dependencies.length > 0 && { [DEPENDENCIES]: JSON.stringify(Object.fromEntries(dependencies)) }),
    ...(baseImages.length > 0 && { [BASE_IMAGES]: JSON.stringify(Object.fromEntries(baseImages)) }),
  };
}

export function isContainerAnnotation(name: string): boolean {
  return [THROTTLING, BOOST, DEPENDENCIES, BASE_IMAGES].includes(name);
}

export function toContainerMessage(container: KnativeContainer, annotations: Annotations): Message {
  const { name, env, resources } = container;
  const dependsOn = parseObject(annotations[DEPENDENCIES] ?? "")?.[name ?? ""];
  const baseImageUri = parseObject(annotations[BASE_IMAGES] ?? "")?.[name ?? ""];
  return {
    ...commonFields(container),
    ...setFields({ dependsOn, baseImageUri }),
    ...(env && {
      env: env.map(({ name: variable, value, valueFrom }) => {
        const { name: secret, key: version } = valueFrom?.secretKeyRef ?? {};
        return valueFrom ? { name: variable, valueSource: { secretKeyRef: { secret, version } } } : { name: variable, value };
      }),
    }),
    resources: {
      limits: resources?.limits,
      ...(annotations[THROTTLING] !== "false" && { cpuIdle: true }),
      ...(/^true$/i.test(annotations[BOOST] ?? "") && { startupCpuBoost: true }),
    },
  };
}

/** The set fields of a container that are the same in v1 and v2. */
function commonFields(container: ContainerMessage | KnativeContainer): Message {
  const { name, image, command, args, workingDir, ports, volumeMounts, startupProbe, livenessProbe, readinessProbe } = container;
  return setFields({ name, image, command, args, workingDir, ports, volumeMounts, startupProbe, livenessProbe, readinessProbe });
}

/** The fields that are set: in proto3, an empty string or list isn't. */
export function setFields(message: Message): Message {
  const isSet = (value: unknown) => value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(message).filter(([, value]) => isSet(value)));
}

import type { Container } from "../run/knative.ts";
import type { Message } from "./annotation-fields.ts";
import type { ContainerMessage } from "./request.ts";

/** A v1 container with the members that the rest of the emulator has no use for. */
export interface KnativeContainer extends Container {
  readonly workingDir?: string;
  readonly readinessProbe?: Message;
}

type Annotations = Readonly<Record<string, string>>;

const THROTTLING = "run.googleapis.com/cpu-throttling";
const BOOST = "run.googleapis.com/startup-cpu-boost";
const DEPENDENCIES = "run.googleapis.com/container-dependencies";
const BASE_IMAGES = "run.googleapis.com/base-images";

/** A container of v2 as v1 has it; what of it v1 keeps as annotations of the template is in `containerAnnotations`. */
export function readContainer(message: ContainerMessage): Message {
  const { name, image, command, args, workingDir, env, ports, resources, volumeMounts, startupProbe, livenessProbe, readinessProbe } =
    message;
  return {
    ...defined({ name, image, command, args, workingDir, ports, volumeMounts, startupProbe, livenessProbe, readinessProbe }),
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

/** The annotations that v1's template has for what v2 says of its containers. */
export function containerAnnotations(containers: readonly ContainerMessage[]): Annotations {
  const resources = containers.flatMap((container) => container.resources ?? []);
  const dependencies = containers.flatMap(({ name = "", dependsOn }) => (dependsOn?.length ? [[name, dependsOn]] : []));
  const baseImages = containers.flatMap(({ name = "", baseImageUri }) => (baseImageUri ? [[name, baseImageUri]] : []));
  return {
    // Who says something of resources has to say that the processor may idle, too.
    ...(resources.length > 0 && !resources.some(({ cpuIdle }) => cpuIdle) && { [THROTTLING]: "false" }),
    ...(resources.some(({ startupCpuBoost }) => startupCpuBoost) && { [BOOST]: "true" }),
    ...(dependencies.length > 0 && { [DEPENDENCIES]: JSON.stringify(Object.fromEntries(dependencies)) }),
    ...(baseImages.length > 0 && { [BASE_IMAGES]: JSON.stringify(Object.fromEntries(baseImages)) }),
  };
}

/** Whether an annotation of a template is one of `containerAnnotations`. */
export function isContainerAnnotation(name: string): boolean {
  return [THROTTLING, BOOST, DEPENDENCIES, BASE_IMAGES].includes(name);
}

/** A container of v1 as v2 shows it. */
export function showContainer(container: KnativeContainer, annotations: Annotations): Message {
  const { name, image, command, args, workingDir, env, ports, resources, volumeMounts, startupProbe, livenessProbe, readinessProbe } =
    container;
  const dependsOn = parse(annotations[DEPENDENCIES])[name ?? ""];
  const baseImageUri = parse(annotations[BASE_IMAGES])[name ?? ""];
  return {
    ...defined({ name, image, command, args, workingDir, ports, volumeMounts, startupProbe, livenessProbe, readinessProbe }),
    ...defined({ dependsOn, baseImageUri }),
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

/** Those members that are set: proto3 takes an empty text or list for none. */
export function defined(message: Message): Message {
  const isSet = (value: unknown) => value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(message).filter(([, value]) => isSet(value)));
}

function parse(json = "{}"): Message {
  try {
    return JSON.parse(json) as Message;
  } catch {
    return {};
  }
}

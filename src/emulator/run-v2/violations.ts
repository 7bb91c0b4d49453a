import { ApiError } from "../server/errors.ts";
import { refuse, type Violation } from "../run/violations.ts";
import { isSystemKey, SERVICE_FIELDS, TEMPLATE_FIELDS } from "./annotation-fields.ts";
import type { ServiceMessage } from "./request.ts";

/** Refuses what v2 alone does not take. `request` is the message's name: CreateServiceRequest or UpdateServiceRequest. */
export function checkServiceMessage({ labels, annotations, template }: ServiceMessage, request: string): void {
  const at = (field: string) => `Violation in ${request}.service.${field}`;
  if (!template) return refuse([{ field: at("template"), description: "required field not present." }]);
  const maps = { labels, annotations, "template.labels": template.labels, "template.annotations": template.annotations };
  refuse(
    Object.entries(maps).flatMap(([field, map = {}]) =>
      Object.keys(map)
        .filter(isSystemKey)
        .map((key) => ({
          field: at(`${field}[${key}]`),
          description: `system ${field.split(".").at(-1)} are not supported in Cloud Run API v2.`,
        })),
    ),
  );
}

/** Does work on a service in v1's form; what it refuses is said of v2's fields. */
export function inMessageWords<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ApiError && error.details[0] && "fieldViolations" in error.details[0])
      refuse((error.details[0].fieldViolations as Violation[]).map(({ field, description }) => ({ field: rename(field), description })));
    throw error;
  }
}

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^metadata\.name$/, "name"],
  [/^spec\.template\.metadata\.name$/, "template.revision"],
  [/^spec\.template\.(spec|metadata)\./, "template."],
  [/^spec\./, ""],
  [/^metadata\./, ""],
  [/\.containerConcurrency$/, ".max_instance_request_concurrency"],
  [/\.timeoutSeconds$/, ".timeout"],
  [/\.valueFrom$/, ".value_source"],
  [/\.revisionName$/, ".revision"],
];

function rename(field: string): string {
  const [, of = "", annotation] = /^(spec\.template\.)?metadata\.annotations\[(.+)\]$/.exec(field) ?? [];
  const known = (of === "" ? SERVICE_FIELDS : TEMPLATE_FIELDS).find((each) => each.annotation === annotation);
  const renamed = known
    ? (of === "" ? "" : "template.") + known.path
    : NAMES.reduce((name, [pattern, replacement]) => name.replace(pattern, replacement), field);
  return renamed.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

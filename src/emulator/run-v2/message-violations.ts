import { ApiError } from "../server/errors.ts";
import { throwViolations, type Violation } from "../run/violations.ts";
import { isSystemKey, SERVICE_FIELDS, TEMPLATE_FIELDS } from "./annotation-fields.ts";
import type { ServiceMessage } from "./service-schema.ts";

/** Checks the rules that only v2 has. `request` is the message's name: CreateServiceRequest or UpdateServiceRequest. */
export function checkServiceMessage({ labels, annotations, template }: ServiceMessage, request: string): void {
  const violationField = (field: string) => `Violation in ${request}.service.${field}`;
  if (!template) return throwViolations([{ field: violationField("template"), description: "required field not present." }]);
  const maps = { labels, annotations, "template.labels": template.labels, "template.annotations": template.annotations };
  throwViolations(
    Object.entries(maps).flatMap(([field, map = {}]) =>
      Object.keys(map)
        .filter(isSystemKey)
        .map((key) => ({
          field: violationField(`${field}[${key}]`),
          description: `system ${field.split(".").at(-1)} are not supported in Cloud Run API v2.`,
        })),
    ),
  );
}

/** Runs work on a service in v1's form, and renames the fields of its violations to v2's. */
export function withMessageFieldNames<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ApiError && error.details[0] && "fieldViolations" in error.details[0])
      throwViolations(
        (error.details[0].fieldViolations as Violation[]).map(({ field, description }) => ({ field: toMessageField(field), description })),
      );
    throw error;
  }
}

const FIELD_NAMES: readonly (readonly [RegExp, string])[] = [
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

function toMessageField(field: string): string {
  const [, templatePrefix = "", annotation] = /^(spec\.template\.)?metadata\.annotations\[(.+)\]$/.exec(field) ?? [];
  const annotationField = (templatePrefix === "" ? SERVICE_FIELDS : TEMPLATE_FIELDS).find(
    (candidate) => candidate.annotation === annotation,
  );
  const renamed = annotationField
    ? (templatePrefix === "" ? "" : "template.") + annotationField.path
    : FIELD_NAMES.reduce((name, [pattern, replacement]) => name.replace(pattern, replacement), field);
  return renamed.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

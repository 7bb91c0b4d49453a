import { Environment } from "@marcbachmann/cel-js";
import { invalidArgument } from "../server/errors.ts";
import type { WorkloadIdentityProvider } from "../state/resources.ts";
import { extract } from "./extract.ts";

/** The attributes that a provider maps from a credential. */
export interface Attributes {
  readonly subject: string;
  readonly groups: readonly string[];
  /** By the custom attribute's name. */
  readonly custom: Readonly<Record<string, string>>;
}

const TARGET = /^(google\.subject|google\.groups|attribute\.[a-z0-9_]{1,100})$/;
const MAX_SUBJECT_BYTES = 127;

// Created at their first use: most emulators never need them, and creating them takes a while.
const environments: { mappings?: Environment; conditions?: Environment } = {};
const mappings = (): Environment =>
  (environments.mappings ??= new Environment()
    .registerVariable("assertion", "map")
    .registerFunction("string.extract(string): string", extract));
// The library reserves the name `google`.
const conditions = (): Environment =>
  (environments.conditions ??= mappings().clone().registerVariable("google_", "map").registerVariable("attribute", "map"));

/** Throws ApiError INVALID_ARGUMENT for a mapping that isn't valid: https://cloud.google.com/iam/docs/workload-identity-federation#mapping */
export function checkAttributeMapping(mapping: WorkloadIdentityProvider["attributeMapping"]): void {
  const refuse = (reason: string) => {
    throw invalidArgument(reason);
  };
  if (!mapping["google.subject"]) refuse("The attribute mapping must have an entry for google.subject.");
  for (const [target, expression] of Object.entries(mapping)) {
    if (!TARGET.test(target)) refuse(`The attribute mapping has an unknown target: ${target}.`);
    const { valid, error } = mappings().check(expression);
    if (!valid) refuse(`The mapping of ${target} does not compile: ${error?.summary}.`);
  }
}

/** Throws ApiError INVALID_ARGUMENT for a condition that isn't valid. */
export function checkAttributeCondition(condition: string): void {
  const { valid, type, error } = conditions().check(withGoogle(condition));
  if (!valid) throw invalidArgument(`The attribute condition does not compile: ${error?.summary}.`);
  if (type !== "bool" && type !== "dyn") throw invalidArgument(`The attribute condition must be a bool, not a ${type}.`);
}

/** Maps a credential's claims. Throws an Error that names the attribute without a value. */
export function mapAttributes(
  { attributeMapping }: Pick<WorkloadIdentityProvider, "attributeMapping">,
  assertion: Readonly<Record<string, unknown>>,
): Attributes {
  const values = Object.entries(attributeMapping).map(([target, expression]) => [target, valueOf(target, expression, assertion)] as const);
  const custom = values.filter(([target]) => target.startsWith("attribute."));
  const texts = custom.map(([target, value]) => {
    if (typeof value !== "string") throw new Error(`The mapped attribute '${target}' must be of type STRING`);
    return [target.slice("attribute.".length), value] as const;
  });
  const { "google.subject": subject, "google.groups": groups = [] } = Object.fromEntries(values);
  if (typeof subject !== "string" || subject === "" || Buffer.byteLength(subject) > MAX_SUBJECT_BYTES)
    throw new Error(`The value of google.subject must be a text of 1 to ${MAX_SUBJECT_BYTES} bytes.`);
  if (!Array.isArray(groups) || !groups.every((group) => typeof group === "string"))
    throw new Error("The mapped attribute 'google.groups' must be of type LIST<STRING>");
  return { subject, groups, custom: Object.fromEntries(texts) };
}

/** Whether a credential's mapped claims meet a provider's attribute condition; a provider without one accepts all. */
export function meetsAttributeCondition(
  { attributeCondition }: Pick<WorkloadIdentityProvider, "attributeCondition">,
  assertion: Readonly<Record<string, unknown>>,
  { subject, groups, custom }: Attributes,
): boolean {
  if (!attributeCondition) return true;
  try {
    return conditions().evaluate(withGoogle(attributeCondition), { assertion, google_: { subject, groups }, attribute: custom }) === true;
  } catch {
    return false;
  }
}

function valueOf(target: string, expression: string, assertion: Readonly<Record<string, unknown>>): unknown {
  try {
    return mappings().evaluate(expression, { assertion });
  } catch (error) {
    throw new Error(
      `Could not obtain a value for ${target} from the given credential. Either ${target} mapping is missing from attribute mappings or the mapping can not be evaluated.`,
      { cause: error },
    );
  }
}

/** Renames `google` outside of string literals to a name that the library doesn't reserve. */
function withGoogle(expression: string): string {
  const pattern = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?<![\w.])google(?=\s*\.)/g;
  return expression.replace(pattern, (found) => (found === "google" ? "google_" : found));
}

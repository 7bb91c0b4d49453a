import { isObject, isStringArray } from "../server/json.ts";
import { invalidArgument } from "../server/errors.ts";
import type { Binding } from "../state/resources.ts";
import { parseCondition } from "./conditions.ts";

/** The policy of a setIamPolicy request, with checked types; its members aren't checked yet. */
interface PolicyRequest {
  readonly version: number;
  readonly bindings: readonly Binding[];
  /** Base64, in either alphabet. */
  readonly etag: string | undefined;
}

const PUBLIC_MEMBERS = ["allUsers", "allAuthenticatedUsers"];
const BASIC = ["roles/owner", "roles/editor", "roles/viewer"];

/** Throws ApiError INVALID_ARGUMENT for a field of the wrong type, and for a condition that isn't allowed. */
export function parsePolicy(policy: unknown): PolicyRequest {
  if (!isObject(policy)) throw invalidArgument("The request does not contain a policy.");
  const bindings = policy["bindings"] ?? [];
  const etag = policy["etag"] ?? undefined;
  if (!Array.isArray(bindings)) throw invalidArgument("Invalid value at 'policy.bindings'.");
  if (etag !== undefined && typeof etag !== "string") throw invalidArgument("Invalid value at 'policy.etag' (TYPE_BYTES).");
  const version = parseVersion(policy["version"] ?? 0, "policy.version");
  const parsed = bindings.map(parseBinding);
  if (version < 3 && parsed.some(({ condition }) => condition)) {
    throw invalidArgument(`Specified policy version (${version}) cannot be less than 3 where bindings have conditions. ${SEE}`);
  }
  return { version, bindings: parsed, etag };
}

export const SEE = "For more information, please refer to https://cloud.google.com/iam/docs/policies#versions.";

/** A policy's format version; 0 means 1. */
export function parseVersion(version: unknown, field: string): number {
  if (version === 0 || version === 1) return 1;
  if (version === 3) return 3;
  throw invalidArgument(`Invalid value at '${field}': valid values are 0, 1, and 3.`);
}

function parseBinding(binding: unknown, index: number): Binding {
  const at = `policy.bindings[${index}]`;
  if (!isObject(binding) || typeof binding["role"] !== "string" || !isStringArray(binding["members"] ?? [])) {
    throw invalidArgument(`Invalid value at '${at}'.`);
  }
  const { role } = binding;
  const members = (binding["members"] ?? []) as string[];
  const condition = parseCondition(binding["condition"], `${at}.condition`);
  if (!condition) return { role, members };
  // https://cloud.google.com/iam/docs/conditions-overview#limitations
  if (BASIC.includes(role)) throw invalidArgument(`Conditions cannot be set on the basic role ${role}.`);
  const publicMember = members.find((member) => PUBLIC_MEMBERS.includes(member));
  if (publicMember) throw invalidArgument(`Conditions cannot be set on a binding for ${publicMember}.`);
  return { role, members, condition };
}

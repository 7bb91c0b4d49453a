import { invalidArgument } from "../server/errors.ts";

/** Substitutions that triggers set; in a build without a trigger they are empty. */
const TRIGGER_SUBSTITUTIONS = new Set([
  "TRIGGER_NAME",
  "TRIGGER_BUILD_CONFIG_PATH",
  "SERVICE_ACCOUNT_EMAIL",
  "SERVICE_ACCOUNT",
  "REPO_NAME",
  "REPO_FULL_NAME",
  "BRANCH_NAME",
  "TAG_NAME",
  "REF_NAME",
  "COMMIT_SHA",
  "REVISION_ID",
  "SHORT_SHA",
]);

/**
 * Replaces `$NAME` and `${NAME}` in all strings of a value:
 * https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values. `$$` is a dollar sign. Throws ApiError
 * INVALID_ARGUMENT for an undefined name.
 */
export function substitute<T>(value: T, custom: Readonly<Record<string, string>>, builtIn: Readonly<Record<string, string>>): T {
  if (typeof value === "string") {
    return value.replace(/\$(?:\$|([A-Z_][A-Z0-9_]*)|\{([A-Z_][A-Z0-9_]*)\})/g, (_, bare?: string, braced?: string) => {
      const name = bare ?? braced;
      if (name === undefined) return "$";
      const replacement = custom[name] ?? builtIn[name] ?? (TRIGGER_SUBSTITUTIONS.has(name) ? "" : undefined);
      if (replacement !== undefined) return replacement;
      if (name.startsWith("_"))
        throw invalidArgument(
          `invalid value for "build.substitutions": key in the template "${name}" is not matched in the substitution data`,
        );
      throw invalidArgument(`invalid value for "build.substitutions": key in the template "${name}" is not a valid built-in substitution`);
    }) as T;
  }
  if (Array.isArray(value)) return value.map((member: unknown) => substitute(member, custom, builtIn)) as T;
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, substitute(member as unknown, custom, builtIn)])) as T;
  }
  return value;
}

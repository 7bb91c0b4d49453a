import { isAbsolute } from "node:path";
import { REGION_PATTERN, REGIONS } from "./regions.ts";
import { CliError } from "../errors/cli-error.ts";
import { suggestMatch } from "../errors/closest-match.ts";
import { readInline } from "./inline-credentials.ts";

interface Rule {
  /** For the JSON schema, too. */
  readonly pattern?: RegExp;
  readonly choices?: readonly string[];
  /** The whole rule, if neither of the others is enough. */
  readonly isValid?: (value: string) => boolean;
  /** Says what is valid, in a sentence. */
  readonly text: string;
  /** What the value is called, if not by the setting's name. */
  readonly label?: string;
  /** True if a value that breaks the rule can be a secret. */
  readonly isSecret?: boolean;
  /** Values to suggest, if others are valid, too. */
  readonly known?: readonly string[];
}

const RULES: Readonly<Record<string, Rule>> = {
  // https://cloud.google.com/run/docs/reference/rest/v1/namespaces.services: a label of RFC 1035, short enough for its URL.
  service: {
    pattern: /^[a-z](?:[a-z0-9-]{0,47}[a-z0-9])?$/,
    text: "Use at most 49 lowercase letters, digits, and hyphens. Start with a letter, and don't end with a hyphen.",
  },
  // https://cloud.google.com/resource-manager/docs/creating-managing-projects
  project: {
    pattern: /^(?:[a-z0-9][a-z0-9.-]*\.[a-z]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/,
    text: "Use the project ID (6 to 30 lowercase letters, digits, and hyphens), not the project number or display name.",
  },
  region: {
    // An unknown region can be a new one.
    pattern: REGION_PATTERN,
    text: "Use a region such as us-central1, not a zone such as us-central1-a.",
    known: REGIONS,
  },
  image: {
    pattern: /^[a-z0-9][a-z0-9._:-]*(?:\/[a-z0-9._:-]+)+(?::[\w.-]{1,128})?(?:@sha256:[0-9a-f]{64})?$/,
    text: "Use a reference such as us-central1-docker.pkg.dev/PROJECT/REPOSITORY/NAME:TAG, in lowercase up to the tag.",
  },
  url: {
    pattern: /^https?:\/\/[^\s/?#]+/,
    isValid: (value) => /^https?:\/\/[^\s/?#]+/.test(value) && URL.canParse(value),
    label: "URL",
    text: "Use a URL such as https://hello-abc123-uc.a.run.app.",
  },
  // Other users can see arguments, and settings files are shared.
  credentials: {
    pattern: /^(?!\s*(?:["'[{]|-----BEGIN |(?:eyJ|eyA|ewo|ewk|ew0)[\w+/-]{13,}=*\s*$))\s*[^\r\n\0]*\s*$/,
    isValid: (value) => readInline(value) === undefined,
    text: "Use the path of a credential file. Only environment variables can contain the credential itself.",
    isSecret: true,
  },
  impersonate: {
    pattern: /^\s*(?:[\w.+-]+@[\w.-]+|\d{21})\s*(?:,\s*(?:[\w.+-]+@[\w.-]+|\d{21})\s*)*$/,
    label: "service account to impersonate",
    text: "Use the email address of a service account, or a comma-separated delegation chain that ends with it.",
  },
  via: { choices: ["gcloud", "api"], text: "Allowed values: gcloud, api." },
  engine: { choices: ["auto", "process", "container"], text: "Allowed values: auto, process, container." },
};

interface SettingValue {
  readonly value: string;
  /** Where the value comes from; undefined for an argument of the command line. */
  readonly source?: string;
}

/** Throws SETTINGS_INVALID, with the source and what is valid, if a value breaks the rule of its setting. */
export function assertAllowed(
  name: string,
  { value, source }: SettingValue,
  details?: { readonly file: string; readonly line: number },
): void {
  const rule = RULES[name];
  const hint = explainInvalid(name, value);
  if (!rule || hint === undefined) return;
  const quoted = rule.isSecret ? "" : ` "${value.length > 80 ? `${value.slice(0, 80)}…` : value}"`;
  const message =
    rule.choices && source?.startsWith("--")
      ? `Invalid value${quoted} for ${source}.`
      : `Invalid ${rule.label ?? name}${quoted}${source === undefined ? "" : ` (from ${source})`}.`;
  throw new CliError("SETTINGS_INVALID", message, {
    hint,
    details: { setting: name, source, file: source && isAbsolute(source) ? source : undefined, ...details },
  });
}

/** Suggests what a value that isn't valid was meant to be, or says what is valid; undefined for a valid value. */
export function explainInvalid(name: string, value: string): string | undefined {
  const rule = RULES[name];
  if (!rule || isAllowed(rule, value)) return undefined;
  return suggestMatch(value, rule.known ?? rule.choices ?? []) ?? rule.text;
}

/** The values that a setting can have, if they are few. */
export function choicesOf(name: string): readonly string[] | undefined {
  return RULES[name]?.choices;
}

/** Converts a setting's rule to a JSON schema. */
export function ruleAsJsonSchema(name: string): { readonly pattern?: string; readonly enum?: readonly string[] } {
  const { pattern, choices } = RULES[name] ?? {};
  return { ...(pattern && { pattern: pattern.source }), ...(choices && { enum: choices }) };
}

function isAllowed({ pattern, choices, isValid }: Rule, value: string): boolean {
  if (isValid) return isValid(value);
  return choices?.includes(value) ?? pattern?.test(value) ?? true;
}

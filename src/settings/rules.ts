import { isAbsolute } from "node:path";
import { REGION_PATTERN, REGIONS } from "./regions.ts";
import { CliError } from "../errors/cli-error.ts";
import { closestMatch } from "../errors/closest-match.ts";
import { readInline } from "./inline-credentials.ts";

interface Rule {
  /** For the JSON schema, too. */
  readonly pattern?: RegExp;
  readonly choices?: readonly string[];
  /** The whole rule, if neither of the others is enough. */
  readonly isValid?: (value: string) => boolean;
  /** A sentence without its capital letter and period. */
  readonly text: string;
  /** True if a value that breaks the rule can be a secret. */
  readonly isSecret?: boolean;
  /** Values to suggest, if others are valid, too. */
  readonly known?: readonly string[];
}

const RULES: Readonly<Record<string, Rule>> = {
  // https://cloud.google.com/run/docs/reference/rest/v1/namespaces.services: a label of RFC 1035, short enough for its URL.
  service: {
    pattern: /^[a-z](?:[a-z0-9-]{0,47}[a-z0-9])?$/,
    text: "a service name has at most 49 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen",
  },
  // https://cloud.google.com/resource-manager/docs/creating-managing-projects
  project: {
    pattern: /^(?:[a-z0-9][a-z0-9.-]*\.[a-z]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/,
    text: "a project ID has 6 to 30 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen; a project number or a display name is none",
  },
  region: {
    // An unknown region can be a new one.
    pattern: REGION_PATTERN,
    text: "a region looks like us-central1; a zone, which ends in a letter, is none",
    known: REGIONS,
  },
  image: {
    pattern: /^[a-z0-9][a-z0-9._:-]*(?:\/[a-z0-9._:-]+)+(?::[\w.-]{1,128})?(?:@sha256:[0-9a-f]{64})?$/,
    text: "an image reference looks like us-central1-docker.pkg.dev/PROJECT/REPOSITORY/NAME:TAG, in lower case up to the tag",
  },
  url: {
    pattern: /^https?:\/\/[^\s/?#]+/,
    isValid: (value) => /^https?:\/\/[^\s/?#]+/.test(value) && URL.canParse(value),
    text: "a URL begins with https:// or http://, and a host",
  },
  // Other users can see arguments, and settings files are shared.
  credentials: {
    pattern: /^(?!\s*(?:["'[{]|-----BEGIN |(?:eyJ|eyA|ewo|ewk|ew0)[\w+/-]{13,}=*\s*$))\s*[^\r\n\0]*\s*$/,
    isValid: (value) => readInline(value) === undefined,
    text: "it is a credential itself, which only a variable of the environment may hold; here a file is named",
    isSecret: true,
  },
  impersonate: {
    pattern: /^\s*(?:[\w.+-]+@[\w.-]+|\d{21})\s*(?:,\s*(?:[\w.+-]+@[\w.-]+|\d{21})\s*)*$/,
    text: "it is a service account's e-mail address, or several with commas between them: delegates first, the account to be last",
  },
  via: { choices: ["gcloud", "api"], text: "a way to the control plane is gcloud or api" },
  engine: { choices: ["auto", "process", "container"], text: "an engine is auto, process or container" },
};

/** Throws SETTINGS_INVALID, with the rule and the source, if a value breaks the rule of its setting. */
export function assertAllowed(name: string, { value, source }: { readonly value: string; readonly source: string }): void {
  const fault = faultOf(name, value);
  if (!fault) return;
  throw new CliError("SETTINGS_INVALID", `${fault.sentence}.`, {
    hint: `${fault.meant ? `Did you mean ${fault.meant}? ` : ""}It comes from ${source}.`,
    details: { setting: name, source, file: isAbsolute(source) ? source : undefined },
  });
}

/** Returns why a value isn't valid, as a sentence without its period, and a suggestion; undefined for a valid value. */
export function faultOf(name: string, value: string): { readonly sentence: string; readonly meant: string | undefined } | undefined {
  const rule = RULES[name];
  if (!rule || isAllowed(rule, value)) return undefined;
  const shown = rule.isSecret ? "What is given" : `"${value.length > 80 ? `${value.slice(0, 80)}…` : value}"`;
  const known = rule.known ?? rule.choices;
  return { sentence: `${shown} cannot be the ${name}: ${rule.text}`, meant: known && closestMatch(value, known) };
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

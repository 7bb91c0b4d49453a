import { isAbsolute } from "node:path";
import { looksLikeRegion, REGIONS } from "../cloud/regions.ts";
import { CliError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { readInline } from "./inline-credentials.ts";

interface Rule {
  readonly holds: (value: string) => boolean;
  /** A sentence without its capital and its stop. */
  readonly text: string;
  /** True where a value that breaks the rule may be a secret. */
  readonly isSecret?: boolean;
  /** What may have been meant. */
  readonly known?: readonly string[];
}

const RULES: Readonly<Record<string, Rule>> = {
  // https://cloud.google.com/run/docs/reference/rest/v1/namespaces.services: a label of RFC 1035, short enough for its URL.
  service: {
    holds: (value) => /^[a-z](?:[a-z0-9-]{0,47}[a-z0-9])?$/.test(value),
    text: "a service name has at most 49 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen",
  },
  // https://cloud.google.com/resource-manager/docs/creating-managing-projects
  project: {
    holds: (value) => /^(?:[a-z0-9][a-z0-9.-]*\.[a-z]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(value),
    text: "a project ID has 6 to 30 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen; a project number or a display name is none",
  },
  region: {
    // A region that is not known here may be a new one.
    holds: looksLikeRegion,
    text: "a region looks like us-central1; a zone, which ends in a letter, is none",
    known: REGIONS,
  },
  image: {
    holds: (value) => /^[a-z0-9][a-z0-9._:-]*(?:\/[a-z0-9._:-]+)+(?::[\w.-]{1,128})?(?:@sha256:[0-9a-f]{64})?$/.test(value),
    text: "an image reference looks like us-central1-docker.pkg.dev/PROJECT/REPOSITORY/NAME:TAG, in lower case up to the tag",
  },
  url: {
    holds: (value) => /^https?:\/\/[^\s/?#]+/.test(value) && URL.canParse(value),
    text: "a URL begins with https:// or http://, and a host",
  },
  // Arguments are for everybody to see, and settings files are shared.
  credentials: {
    holds: (value) => readInline(value) === undefined,
    text: "it is a credential itself, which only a variable of the environment may hold; here a file is named",
    isSecret: true,
  },
  impersonate: {
    holds: (value) => value.split(",").every((account) => /^\s*[\w.+-]+@[\w.-]+\s*$|^\s*\d{21}\s*$/.test(account)),
    text: "it is a service account's e-mail address, or several with commas between them: delegates first, the account to be last",
  },
  via: { holds: (value) => value === "gcloud" || value === "api", text: "a way to the control plane is gcloud or api" },
  engine: { holds: (value) => ["auto", "process", "container"].includes(value), text: "an engine is auto, process or container" },
};

/** Throws SETTINGS_INVALID, with the rule that is broken and the place that it came from. */
export function assertAllowed(name: string, { value, source }: { readonly value: string; readonly source: string }): void {
  const rule = RULES[name];
  if (!rule || rule.holds(value)) return;
  const shown = rule.isSecret ? "What is given" : `"${value.length > 80 ? `${value.slice(0, 80)}…` : value}"`;
  const meant = rule.known && nearest(value, rule.known);
  throw new CliError("SETTINGS_INVALID", `${shown} cannot be the ${name}: ${rule.text}.`, {
    hint: `${meant ? `Did you mean ${meant}? ` : ""}It comes from ${source}.`,
    details: { setting: name, source, file: isAbsolute(source) ? source : undefined },
  });
}

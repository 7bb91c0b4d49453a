import { CliError } from "../errors/cli-error.ts";
import { suggestMatch } from "../errors/closest-match.ts";
import { nextStep } from "../errors/next-step.ts";
import type { Service, Revision } from "./service.ts";
import type { ServiceName } from "./names.ts";
import { LATEST, type TrafficOptions } from "./traffic.ts";

type Shares = TrafficOptions["to"];

/** Reads `REVISION=PERCENT` texts; a revision without a percentage gets all traffic. Throws USAGE. */
export function readShares(texts: readonly string[]): Shares {
  const shares = texts.map((text) => {
    const [, revision, percent] = /^([a-z][a-z0-9-]*|LATEST)(?:=(\d{1,3})%?)?$/.exec(text) ?? [];
    if (revision === undefined)
      throw new CliError("USAGE", `Invalid --to "${text}".`, { hint: "Use REVISION=PERCENT, for example hello-00001-abc=10." });
    return { revision, percent: Number(percent ?? 100) };
  });
  const repeated = shares.find(({ revision }, index) => shares.findIndex((other) => other.revision === revision) !== index);
  if (repeated) throw new CliError("USAGE", `--to specifies ${repeated.revision} more than once.`);
  return shares;
}

export function readTags(texts: readonly string[]): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const text of texts) {
    const [, tag, revision] = /^([a-z](?:[a-z0-9-]*[a-z0-9])?)=([a-z][a-z0-9-]*|LATEST)$/.exec(text) ?? [];
    if (tag === undefined || revision === undefined || tag.includes("---"))
      throw new CliError("USAGE", `Invalid --tag "${text}".`, { hint: "Use TAG=REVISION in lowercase, for example next=hello-00002-abc." });
    tags[tag] = revision;
  }
  return tags;
}

/** Throws NOT_FOUND for a revision that the service doesn't have, DEPLOY_FAILED with the reason for one that isn't ready. */
export function assertReady(revisions: readonly Revision[], names: readonly string[], { service }: ServiceName): void {
  const known = revisions.map(({ revision }) => revision);
  for (const name of names.filter((other) => other !== LATEST)) {
    const revision = revisions.find((other) => other.revision === name);
    if (!revision)
      throw new CliError("NOT_FOUND", `Revision "${name}" of "${service}" not found.`, {
        hint: [suggestMatch(name, known), `Revisions: ${list(known)}.`].filter(Boolean).join(" "),
        details: { revision: name, revisions: known },
      });
    if (!revision.ready)
      throw new CliError("DEPLOY_FAILED", `Can't send traffic to ${name}: ${unreadyReason(revision) ?? "it isn't ready"}.`, {
        hint: `Ready revisions: ${list(revisions.flatMap((other) => (other.ready ? other.revision : [])))}.`,
        details: { revision: name, reason: revision.reason },
      });
  }
}

/** A sentence that says why a revision gets no traffic. */
export function explainUnready(revision: Revision): string {
  const reason = unreadyReason(revision);
  return `Revision ${revision.revision} isn't ready${reason ? `: ${reason}` : ""}.`;
}

function unreadyReason({ ready, reason, message }: Revision): string | undefined {
  if (ready === null) return "it's still being deployed";
  // After the first sentence, Cloud Run adds advice and a part of the log.
  return (message ?? reason ?? "").split(/\.?\s*(?:\n|$)|\. /)[0] || undefined;
}

/** The shares and the remaining percentage, which goes to the one other revision that is serving. Throws USAGE if there isn't exactly one. */
export function addRemainingShare(shares: Shares, { traffic, service }: Pick<Service, "traffic" | "service">): Shares {
  const sum = shares.reduce((all, { percent }) => all + percent, 0);
  const named = new Set(shares.map(({ revision }) => revision));
  if (named.has(LATEST)) for (const target of traffic) if (target.latest) named.add(target.revision);
  const others = traffic.filter(({ percent, revision }) => percent > 0 && !named.has(revision));
  const keys = [...new Set(others.map(({ latest, revision }) => (latest ? LATEST : revision)))];
  if (keys.length === 1) return [...shares, { revision: keys[0]!, percent: 100 - sum }];
  throw new CliError("USAGE", `The percentages add up to ${sum} instead of 100.`, {
    hint:
      keys.length === 0
        ? "Use --to to specify another revision for the rest."
        : `Specify the percentage for each revision: ${keys.map((key) => `--to ${key}=PERCENT`).join(" ")}`,
    next: keys.length === 0 ? [nextStep("To list revisions", "traffic", service)] : [],
    details: { sum },
  });
}

function list(names: readonly string[]): string {
  return `${names.slice(0, 10).join(", ") || "none"}${names.length > 10 ? `, and ${names.length - 10} more` : ""}`;
}

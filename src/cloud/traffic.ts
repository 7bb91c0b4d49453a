import { CliError } from "../errors/cli-error.ts";
import type { KnativeTarget } from "./messages/knative-service.ts";
import type { ServiceName } from "./names.ts";
import type { Service } from "./service.ts";

/** The latest ready revision, whichever that is. No revision has a name in capitals. */
export const LATEST = "LATEST";

export interface TrafficOptions extends ServiceName {
  /** The percentages add up to 100, and other revisions get nothing. Traffic stays as it is if the list is empty. */
  readonly to: readonly {
    readonly revision: string;
    readonly percent: number;
  }[];
  readonly setTags?: Readonly<Record<string, string>>;
  readonly removeTags?: readonly string[];
}

/** Throws USAGE if the percentages aren't whole numbers that add up to 100. */
export function assertPercentsAddUp(to: TrafficOptions["to"]): void {
  if (to.length === 0) return;
  const invalid = to.find(({ percent }) => !Number.isInteger(percent) || percent < 0 || percent > 100);
  if (invalid)
    throw new CliError("USAGE", `Invalid percentage "${invalid.percent}" for ${invalid.revision}.`, {
      hint: "Use a whole number from 0 to 100.",
    });
  const sum = to.reduce((all, { percent }) => all + percent, 0);
  if (sum === 100) return;
  throw new CliError("USAGE", `The percentages add up to ${sum} instead of 100.`, { details: { sum } });
}

/** A service's traffic after a change, in gcloud's order: shares by name, the latest revision last, then the tags. */
export function changeTargets(
  existing: readonly KnativeTarget[] = [{ latestRevision: true, percent: 100 }],
  { to, setTags = {}, removeTags = [] }: TrafficOptions,
): KnativeTarget[] {
  const isChanged = (tag: string | undefined) => tag !== undefined && (tag in setTags || removeTags.includes(tag));
  const remaining = existing
    .map(({ tag, ...target }) => (tag !== undefined && !isChanged(tag) ? { ...target, tag } : target))
    .filter((target) => target.percent || "tag" in target);
  const tagged = Object.entries(setTags)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([tag, revision]) => ({ ...targetOf(revision), tag }));
  const targets: KnativeTarget[] = [...remaining, ...tagged];
  if (to.length === 0) return targets;
  const shares = to
    .filter(({ percent }) => percent > 0)
    .map(({ revision, percent }) => ({ ...targetOf(revision), percent }))
    .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  const tags = targets.filter(({ tag }) => tag !== undefined).map((target) => ({ ...target, percent: undefined }));
  return [...shares, ...tags];
}

function targetOf(revision: string): KnativeTarget {
  return revision === LATEST ? { latestRevision: true } : { revisionName: revision };
}

function sortKey({ revisionName }: KnativeTarget): string {
  return revisionName ?? "~";
}

export function isTrafficApplied({ traffic, conditions }: Service, { to, setTags = {}, removeTags = [] }: TrafficOptions): boolean {
  if (conditions.find(({ type }) => type === "RoutesReady")?.status !== "True") return false;
  const isNamed = (target: Service["traffic"][number], name: string) => (name === LATEST ? target.latest : target.revision === name);
  const shares = to.filter(({ percent }) => percent > 0);
  const serving = traffic.filter(({ percent }) => percent > 0);
  return (
    (to.length === 0 || serving.length === shares.length) &&
    shares.every(({ revision, percent }) => serving.some((target) => isNamed(target, revision) && target.percent === percent)) &&
    Object.entries(setTags).every(([tag, revision]) => traffic.some((target) => target.tag === tag && isNamed(target, revision))) &&
    !traffic.some(({ tag }) => tag !== null && removeTags.includes(tag))
  );
}

import { formatRelativeTime } from "../../terminal/relative-time.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import type { Service, Revision } from "../../cloud/service.ts";
import { requireServiceName, type ServiceName } from "../../cloud/names.ts";
import type { TrafficOptions } from "../../cloud/traffic.ts";
import { assertReady, readShares, readTags, addRemainingShare } from "../../cloud/traffic-shares.ts";
import { assertPercentsAddUp } from "../../cloud/traffic.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { setOutputs } from "../../context/pipeline-outputs.ts";
import { printPlan } from "../../context/print-plan.ts";

interface TrafficFlags {
  readonly to?: readonly string[];
  readonly tag?: readonly string[];
  readonly removeTag?: readonly string[];
}

/** Divides a service's traffic, and sets and removes tags. Without a flag, shows which revision gets how much. */
export async function traffic(context: Context, name: string | undefined, flags: TrafficFlags): Promise<void> {
  const { settings, terminal } = context;
  const options = requireServiceName(settings, name);
  const requested = { ...options, ...readFlags(flags) };
  const cloud = await context.cloud();
  if (requested.to.length === 0 && Object.keys(requested.setTags).length === 0 && requested.removeTags.length === 0)
    return show(context, cloud, options);

  // A complete division doesn't depend on the current one.
  const trafficOptions =
    context.dryRun && isComplete(requested)
      ? requested
      : await terminal.task(`Looking through the revisions of ${options.service}`, () => completeDivision(cloud, requested));
  if (context.dryRun) return printPlan(terminal, [...cloud.plan("revisions", options), ...cloud.plan("traffic", trafficOptions)]);
  for (const { revision, percent } of trafficOptions.to.slice(requested.to.length)) terminal.note(`${percent}% stay with ${revision}.`);
  const service = await terminal.task(`Dividing the traffic of ${options.service}`, () => cloud.traffic(trafficOptions));
  setOutputs(context.env, `Divided the traffic of ${options.service}`, { url: service.url });
  if (terminal.json) return terminal.printJson({ ...options, url: service.url, traffic: service.traffic });
  terminal.printTable(service.traffic.map(targetRow));
}

function readFlags({ to = [], tag = [], removeTag = [] }: TrafficFlags): Required<Omit<TrafficOptions, keyof ServiceName>> {
  const shares = readShares(to);
  if (sumOf(shares) > 100) assertPercentsAddUp(shares);
  const setTags = readTags(tag);
  const conflict = removeTag.find((name) => name in setTags);
  if (conflict)
    throw new CliError("USAGE", `--tag and --remove-tag both name ${conflict}.`, { hint: "--tag alone moves a tag to another revision." });
  return { to: shares, setTags, removeTags: removeTag };
}

function isComplete({ to }: TrafficOptions): boolean {
  return to.length === 0 || sumOf(to) === 100;
}

function sumOf(to: TrafficOptions["to"]): number {
  return to.reduce((sum, { percent }) => sum + percent, 0);
}

/** Gives the rest of the traffic to the revision that serves. Throws if a revision or a tag doesn't exist, or a revision isn't ready. */
async function completeDivision(cloud: Cloud, options: Required<TrafficOptions>): Promise<Required<TrafficOptions>> {
  const needsService = !isComplete(options) || options.removeTags.length > 0;
  const [revisions, service] = await Promise.all([cloud.revisions(options), needsService ? cloud.describe(options) : undefined]);
  assertReady(revisions, [...options.to.map(({ revision }) => revision), ...Object.values(options.setTags)], options);
  if (!service) return options;
  const tags = service.traffic.flatMap(({ tag }) => tag ?? []);
  const missing = options.removeTags.find((tag) => !tags.includes(tag));
  if (missing !== undefined)
    throw new CliError("NOT_FOUND", `${options.service} has no tag ${missing}.`, {
      hint: tags.length > 0 ? `Its tags: ${tags.join(", ")}` : "It has no tags at all.",
      details: { tag: missing, tags },
    });
  return isComplete(options) ? options : { ...options, to: addRemainingShare(options.to, service) };
}

async function show({ terminal, dryRun }: Context, cloud: Cloud, options: ServiceName): Promise<void> {
  if (dryRun) return printPlan(terminal, cloud.plan("revisions", options));
  const [service, revisions] = await terminal.task(`Looking up ${options.service}`, () =>
    Promise.all([cloud.describe(options), cloud.revisions(options)]),
  );
  if (terminal.json) return terminal.printJson({ ...options, url: service.url, traffic: service.traffic, revisions });
  const servingRevisions = new Set(service.traffic.map(({ revision }) => revision));
  terminal.printTable([
    ...service.traffic.map(targetRow),
    ...revisions.filter(({ revision }) => !servingRevisions.has(revision)).map((revision) => revisionRow(revision, Date.now())),
  ]);
}

function targetRow({ percent, revision, latest, tag, url }: Service["traffic"][number]): string[] {
  return [`${percent}%`, revision, [latest && "the latest", tag && `as ${tag}`].filter(Boolean).join(" "), url ?? ""];
}

function revisionRow({ revision, ready, created, reason }: Revision, now: number): string[] {
  const state = ready ? "" : ready === null ? "not ready yet" : `not ready: ${reason ?? "unknown"}`;
  return ["0%", revision, state, `made ${formatRelativeTime(created, now)}`];
}

import { formatRelativeTime } from "../../terminal/relative-time.ts";
import type { Cloud, Service } from "../../cloud/cloud.ts";
import type { ServiceName } from "../../cloud/names.ts";
import type { Revision, TrafficOptions } from "../../cloud/operate.ts";
import { assertServable, readShares, readTags, withRest } from "../../cloud/traffic-shares.ts";
import { assertWhole } from "../../cloud/traffic.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { setOutputs } from "../../context/pipeline-outputs.ts";
import { printPlan } from "../../context/print-plan.ts";

interface TrafficFlags {
  readonly to?: readonly string[];
  readonly tag?: readonly string[];
  readonly removeTag?: readonly string[];
}

/** Divides a service's traffic, and sets and removes tags; without a flag shows who gets what. */
export async function traffic(context: Context, name: string | undefined, flags: TrafficFlags): Promise<void> {
  const { settings, terminal } = context;
  const options = { service: settings.require("service", name), project: settings.require("project"), region: settings.require("region") };
  const said = { ...options, ...readFlags(flags) };
  const cloud = await context.cloud();
  if (said.to.length === 0 && Object.keys(said.setTags).length === 0 && said.removeTags.length === 0) return show(context, cloud, options);

  // Where all is said, what would be done needs no look at what there is.
  const wanted =
    context.dryRun && isWhole(said)
      ? said
      : await terminal.task(`Looking through the revisions of ${options.service}`, () => check(cloud, said));
  if (context.dryRun) return printPlan(terminal, [...cloud.plan("revisions", options), ...cloud.plan("traffic", wanted)]);
  for (const { revision, percent } of wanted.to.slice(said.to.length)) terminal.note(`${percent}% stay with ${revision}.`);
  const service = await terminal.task(`Dividing the traffic of ${options.service}`, () => cloud.traffic(wanted));
  setOutputs(context.env, `Divided the traffic of ${options.service}`, { url: service.url });
  if (terminal.json) return terminal.printJson({ ...options, url: service.url, traffic: service.traffic });
  terminal.printTable(service.traffic.map(targetRow));
}

function readFlags({ to = [], tag = [], removeTag = [] }: TrafficFlags): Required<Omit<TrafficOptions, keyof ServiceName>> {
  const shares = readShares(to);
  if (sumOf(shares) > 100) assertWhole(shares);
  const setTags = readTags(tag);
  const both = removeTag.find((name) => name in setTags);
  if (both)
    throw new CliError("USAGE", `--tag and --remove-tag both name ${both}.`, { hint: "--tag alone moves a tag to another revision." });
  return { to: shares, setTags, removeTags: removeTag };
}

function isWhole({ to }: TrafficOptions): boolean {
  return to.length === 0 || sumOf(to) === 100;
}

function sumOf(to: TrafficOptions["to"]): number {
  return to.reduce((all, { percent }) => all + percent, 0);
}

/** Throws where it names what the service does not have, or what cannot serve. */
async function check(cloud: Cloud, options: Required<TrafficOptions>): Promise<Required<TrafficOptions>> {
  const needsService = !isWhole(options) || options.removeTags.length > 0;
  const [revisions, service] = await Promise.all([cloud.revisions(options), needsService ? cloud.describe(options) : undefined]);
  assertServable(revisions, [...options.to.map(({ revision }) => revision), ...Object.values(options.setTags)], options);
  if (!service) return options;
  const tags = service.traffic.flatMap(({ tag }) => tag ?? []);
  const missing = options.removeTags.find((tag) => !tags.includes(tag));
  if (missing !== undefined)
    throw new CliError("NOT_FOUND", `${options.service} has no tag ${missing}.`, {
      hint: tags.length > 0 ? `Its tags: ${tags.join(", ")}` : "It has no tags at all.",
      details: { tag: missing, tags },
    });
  return isWhole(options) ? options : { ...options, to: withRest(options.to, service) };
}

async function show({ terminal, dryRun }: Context, cloud: Cloud, options: ServiceName): Promise<void> {
  if (dryRun) return printPlan(terminal, cloud.plan("revisions", options));
  const [service, revisions] = await terminal.task(`Looking up ${options.service}`, () =>
    Promise.all([cloud.describe(options), cloud.revisions(options)]),
  );
  if (terminal.json) return terminal.printJson({ ...options, url: service.url, traffic: service.traffic, revisions });
  const served = new Set(service.traffic.map(({ revision }) => revision));
  terminal.printTable([
    ...service.traffic.map(targetRow),
    ...revisions.filter(({ revision }) => !served.has(revision)).map((revision) => revisionRow(revision, Date.now())),
  ]);
}

function targetRow({ percent, revision, latest, tag, url }: Service["traffic"][number]): string[] {
  return [`${percent}%`, revision, [latest && "the latest", tag && `as ${tag}`].filter(Boolean).join(" "), url ?? ""];
}

function revisionRow({ revision, ready, created, reason }: Revision, now: number): string[] {
  const state = ready ? "" : ready === null ? "not ready yet" : `not ready: ${reason ?? "unknown"}`;
  return ["0%", revision, state, `made ${formatRelativeTime(created, now)}`];
}

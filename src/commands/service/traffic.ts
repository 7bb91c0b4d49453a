import type { Cloud } from "../../cloud/cloud.ts";
import type { Service } from "../../cloud/service.ts";
import { requireServiceName, type ServiceName } from "../../cloud/names.ts";
import type { TrafficOptions } from "../../cloud/traffic.ts";
import { assertReady, readShares, readTags, addRemainingShare } from "../../cloud/traffic-shares.ts";
import { assertPercentsAddUp } from "../../cloud/traffic.ts";
import type { Context } from "../../context/context.ts";
import { setOutputs } from "../../context/pipeline-outputs.ts";
import { printPlan } from "../../context/print-plan.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep, type NextStep } from "../../errors/next-step.ts";
import { withTimes } from "../../terminal/relative-time.ts";

interface TrafficFlags {
  readonly to?: readonly string[];
  readonly tag?: readonly string[];
  readonly removeTag?: readonly string[];
}

/** Splits a service's traffic, and sets and removes tags. Without a flag, shows the current split. */
export async function traffic(context: Context, name: string | undefined, flags: TrafficFlags): Promise<void> {
  const { settings, terminal } = context;
  const options = requireServiceName(settings, name);
  const requested = { ...options, ...readFlags(flags) };
  const cloud = await context.cloud();
  if (requested.to.length === 0 && Object.keys(requested.setTags).length === 0 && requested.removeTags.length === 0)
    return show(context, cloud, options);

  // A complete split doesn't depend on the current one.
  const trafficOptions =
    context.dryRun && isComplete(requested)
      ? requested
      : await terminal.wait(`Checking revisions of ${options.service}`, () => completeSplit(cloud, requested));
  if (context.dryRun) return printPlan(terminal, [...cloud.plan("revisions", options), ...cloud.plan("traffic", trafficOptions)]);
  for (const { revision, percent } of trafficOptions.to.slice(requested.to.length))
    terminal.note(`${revision} keeps ${percent}% of the traffic.`);
  const text = {
    running: `Updating traffic for ${options.service}`,
    done: `Updated traffic for ${options.service}`,
    failed: "Traffic update failed",
  };
  const service = await terminal.step(text, () => cloud.traffic(trafficOptions));
  setOutputs(context.env, `Updated traffic for ${options.service}`, { url: service.url });
  if (terminal.json) return terminal.printJson({ ...options, url: service.url, traffic: service.traffic });
  terminal.printTable(service.traffic.map(targetRow), { header: HEADER });
}

function readFlags({ to = [], tag = [], removeTag = [] }: TrafficFlags): Required<Omit<TrafficOptions, keyof ServiceName>> {
  const shares = readShares(to);
  if (sumOf(shares) > 100) assertPercentsAddUp(shares);
  const setTags = readTags(tag);
  const conflict = removeTag.find((name) => name in setTags);
  if (conflict)
    throw new CliError("USAGE", `--tag and --remove-tag can't both name ${conflict}.`, { hint: "To move a tag, use --tag alone." });
  return { to: shares, setTags, removeTags: removeTag };
}

function isComplete({ to }: TrafficOptions): boolean {
  return to.length === 0 || sumOf(to) === 100;
}

function sumOf(to: TrafficOptions["to"]): number {
  return to.reduce((sum, { percent }) => sum + percent, 0);
}

/** Gives the rest of the traffic to the serving revision. Throws if a revision or a tag doesn't exist, or a revision isn't ready. */
async function completeSplit(cloud: Cloud, options: Required<TrafficOptions>): Promise<Required<TrafficOptions>> {
  const needsService = !isComplete(options) || options.removeTags.length > 0;
  const [revisions, service] = await Promise.all([cloud.revisions(options), needsService ? cloud.describe(options) : undefined]);
  assertReady(revisions, [...options.to.map(({ revision }) => revision), ...Object.values(options.setTags)], options);
  if (!service) return options;
  const tags = service.traffic.flatMap(({ tag }) => tag ?? []);
  const missing = options.removeTags.find((tag) => !tags.includes(tag));
  if (missing !== undefined)
    throw new CliError("NOT_FOUND", `Tag "${missing}" not found on ${options.service}.`, {
      ...(tags.length > 0 && { hint: `Tags: ${tags.join(", ")}.` }),
      details: { tag: missing, tags },
    });
  return isComplete(options) ? options : { ...options, to: addRemainingShare(options.to, service) };
}

async function show({ terminal, dryRun }: Context, cloud: Cloud, options: ServiceName): Promise<void> {
  if (dryRun) return printPlan(terminal, cloud.plan("revisions", options));
  const [service, revisions] = await terminal.wait(`Checking ${options.service}`, () =>
    Promise.all([cloud.describe(options), cloud.revisions(options)]),
  );
  if (terminal.json) return terminal.printJson({ ...options, url: service.url, traffic: service.traffic, revisions });
  const servingRevisions = new Set(service.traffic.map(({ revision }) => revision));
  const { rows, piped } = withTimes((formatTime) => [
    ...service.traffic.map(targetRow),
    ...revisions
      .filter(({ revision }) => !servingRevisions.has(revision))
      .map(({ revision, ready, created, reason }) => {
        const state = ready
          ? ""
          : ready === null
            ? terminal.style("yellow", "deploying")
            : terminal.style("red", `not ready: ${reason ?? "unknown"}`);
        return ["0%", revision, state, `created ${formatTime(created)}`];
      }),
  ]);
  terminal.printTable(rows, { header: HEADER, piped });
}

const HEADER = ["traffic", "revision", "state", "details"];

function targetRow({ percent, revision, latest, tag, url }: Service["traffic"][number]): string[] {
  return [`${percent}%`, revision, [latest && "latest", tag && `tag ${tag}`].filter(Boolean).join(", "), url ?? ""];
}

/** The next step if traffic is pinned to a revision. */
export function sendTrafficToLatest(service: string): NextStep {
  return nextStep("To send traffic to new revisions again", "traffic", service, "--to", "LATEST");
}

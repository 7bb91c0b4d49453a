import { formatRelativeTime } from "../../terminal/relative-time.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import { requireServiceName, type ServiceName } from "../../cloud/names.ts";
import type { Revision } from "../../cloud/service.ts";
import { assertReady, explainUnready } from "../../cloud/traffic-shares.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { setOutputs } from "../../context/pipeline-outputs.ts";
import { printPlan } from "../../context/print-plan.ts";

interface Choice {
  /** Undefined if the revision that serves is the right one already. */
  readonly revision: Revision | undefined;
  /** The revision that serves. */
  readonly from: Revision | undefined;
  readonly why: string;
}

/** Sends all traffic to the last revision that was ready, or to the one that `--to` names. Throws NOT_FOUND if there is none. */
export async function rollback(context: Context, name: string | undefined, { to }: { readonly to?: string }): Promise<void> {
  const { settings, terminal } = context;
  const options = requireServiceName(settings, name);
  const cloud = await context.cloud();
  const { revision, from, why } = await terminal.task(`Looking through the revisions of ${options.service}`, () =>
    chooseRevision(cloud, options, to),
  );
  terminal.note(why);
  const trafficOptions = { ...options, to: revision ? [{ revision: revision.revision, percent: 100 }] : [] };
  if (context.dryRun) return printPlan(terminal, revision ? cloud.plan("traffic", trafficOptions) : []);
  const service = await (revision
    ? terminal.task(`Sending all traffic to ${revision.revision}`, () => cloud.traffic(trafficOptions))
    : cloud.describe(options));

  if (revision) terminal.note(`New deployments get no traffic until: cloudrun-oauth traffic ${options.service} --to LATEST`);
  const serving = revision?.revision ?? from?.revision ?? "";
  setOutputs(context.env, `Rolled ${options.service} back`, { url: service.url, revision: serving });
  if (terminal.json)
    return terminal.printJson({
      ...options,
      url: service.url,
      revision: serving,
      from: from?.revision ?? null,
      changed: revision !== undefined,
      reason: why,
      traffic: service.traffic,
    });
  terminal.printTable([
    ["URL", service.url],
    ["REVISION", serving],
    ["FROM", from?.revision ?? ""],
  ]);
}

async function chooseRevision(cloud: Cloud, options: ServiceName, to: string | undefined): Promise<Choice> {
  const revisions = await cloud.revisions(options);
  const servingIndex = revisions.findIndex(({ percent }) => percent > 0);
  const from = revisions[servingIndex];
  if (to !== undefined) {
    assertReady(revisions, [to], options);
    return { revision: revisions.find(({ revision }) => revision === to), from, why: `${to} it is, as --to says.` };
  }
  const { revision: serving = "no revision" } = from ?? {};
  const [latest, ...newer] = revisions.slice(0, Math.max(servingIndex, 0));
  // A deployment that failed has replaced nothing: going back further would undo a good deployment.
  if (latest && ![latest, ...newer].some(({ ready }) => ready))
    return { revision: undefined, from, why: `${explainUnready(latest)} It takes no traffic: ${serving} serves, and goes on serving.` };
  const earlier = revisions.slice(servingIndex + 1);
  const revision = earlier.find(({ ready }) => ready);
  if (!revision)
    throw new CliError("NOT_FOUND", `${options.service} has no good revision before ${serving}, which serves.`, {
      hint:
        earlier.length > 0
          ? `Of the earlier ones, ${explainUnready(earlier[0]!)} All revisions: cloudrun-oauth traffic ${options.service}`
          : "It is the first one. Deploy a better one: cloudrun-oauth deploy",
      details: { serving, revisions: revisions.map(({ revision: revisionName }) => revisionName) },
    });
  const skipped = earlier.slice(0, earlier.indexOf(revision)).map(explainUnready);
  return {
    revision,
    from,
    why: [
      `${serving} serves; ${revision.revision}, made ${formatRelativeTime(revision.created, Date.now())}, is the newest before it that is ready.`,
      ...skipped,
    ].join(" "),
  };
}

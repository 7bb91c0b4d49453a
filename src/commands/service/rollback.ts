import type { Cloud } from "../../cloud/cloud.ts";
import { requireServiceName, type ServiceName } from "../../cloud/names.ts";
import type { Revision } from "../../cloud/service.ts";
import { assertReady, explainUnready } from "../../cloud/traffic-shares.ts";
import type { Context } from "../../context/context.ts";
import { setOutputs } from "../../context/pipeline-outputs.ts";
import { printPlan } from "../../context/print-plan.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { formatRelativeTime } from "../../terminal/relative-time.ts";
import { sendTrafficToLatest } from "./traffic.ts";

interface Choice {
  /** Undefined if the serving revision is the right one already. */
  readonly revision: Revision | undefined;
  readonly from: Revision | undefined;
  readonly why: string;
}

/** Sends all traffic to the last revision that was ready, or to the one that `--to` names. Throws NOT_FOUND if there is none. */
export async function rollback(context: Context, name: string | undefined, { to }: { readonly to?: string }): Promise<void> {
  const { settings, terminal } = context;
  const options = requireServiceName(settings, name);
  const cloud = await context.cloud();
  const { revision, from, why } = await terminal.wait(`Checking revisions of ${options.service}`, () => chooseRevision(cloud, options, to));
  terminal.note(why);
  const trafficOptions = { ...options, to: revision ? [{ revision: revision.revision, percent: 100 }] : [] };
  if (context.dryRun) return printPlan(terminal, revision ? cloud.plan("traffic", trafficOptions) : []);
  const service = await (revision
    ? terminal.step(
        {
          running: `Sending all traffic to ${revision.revision}`,
          done: `${revision.revision} receives all traffic`,
          failed: "Rollback failed",
        },
        () => cloud.traffic(trafficOptions),
      )
    : cloud.describe(options));

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
  if (!revision) return;
  terminal.note(`\nTraffic is pinned to ${serving}: new revisions don't receive any.`);
  terminal.nextSteps([sendTrafficToLatest(options.service)]);
}

async function chooseRevision(cloud: Cloud, options: ServiceName, to: string | undefined): Promise<Choice> {
  const revisions = await cloud.revisions(options);
  const servingIndex = revisions.findIndex(({ percent }) => percent > 0);
  const from = revisions[servingIndex];
  if (to !== undefined) {
    assertReady(revisions, [to], options);
    return { revision: revisions.find(({ revision }) => revision === to), from, why: `Rolling back to ${to} (--to).` };
  }
  const { revision: serving = "no revision" } = from ?? {};
  const [latest, ...newer] = revisions.slice(0, Math.max(servingIndex, 0));
  // A deployment that failed has replaced nothing: going back further would undo a deployment that works.
  if (latest && ![latest, ...newer].some(({ ready }) => ready))
    return { revision: undefined, from, why: `${explainUnready(latest)} It receives no traffic; ${serving} is still serving.` };
  const earlier = revisions.slice(servingIndex + 1);
  const revision = earlier.find(({ ready }) => ready);
  if (!revision) {
    const isOnly = earlier.length === 0;
    const reason = isOnly ? `${serving} is the only revision` : `no revision before ${serving} is ready`;
    throw new CliError("NOT_FOUND", `Can't roll back ${options.service}: ${reason}.`, {
      ...(!isOnly && { hint: explainUnready(earlier[0]!) }),
      next: [
        isOnly
          ? nextStep("To deploy another revision", "deploy", options.service)
          : nextStep("To list revisions", "traffic", options.service),
      ],
      details: { serving, revisions: revisions.map(({ revision: revisionName }) => revisionName) },
    });
  }
  const skipped = earlier.slice(0, earlier.indexOf(revision)).map(explainUnready);
  const age = formatRelativeTime(revision.created, Date.now());
  return { revision, from, why: [`Rolling back from ${serving} to ${revision.revision} (created ${age}).`, ...skipped].join(" ") };
}

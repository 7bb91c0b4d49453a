import type { CachedCredentials } from "../../auth/token-cache.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import type { Service } from "../../cloud/service.ts";
import type { TrafficOptions } from "../../cloud/traffic.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { CANDIDATE } from "./current-state.ts";
import type { RunStep } from "./timed-steps.ts";
import { verifyInvocation } from "./verify-access.ts";

interface Tools {
  readonly cloud: Cloud;
  readonly runStep: RunStep;
  readonly credentials: CachedCredentials;
  readonly isGranted: boolean;
}

/** Calls the latest revision, which receives no traffic yet, at the URL of its tag, and returns its name. Throws what a status of 400 or above means. */
export async function checkCandidate(
  context: Context,
  service: Service,
  path: string,
  { cloud, runStep, ...caller }: Tools,
): Promise<string> {
  const revision = service.latest_created_revision ?? "";
  const text = { running: `Checking ${revision} at ${path}`, done: `${revision} passed the check`, failed: `${revision} failed the check` };
  return runStep("check", text, async (tell) => {
    // Setting labels creates a revision without the tag.
    const tagged = hasCandidateTag(service, revision)
      ? service
      : await cloud.traffic({ ...nameOf(service), to: [], setTags: { [CANDIDATE]: revision } });
    const { url } = tagged.traffic.find(({ tag }) => tag === CANDIDATE) ?? {};
    if (!url) throw new CliError("DEPLOY_FAILED", `Revision ${revision} doesn't have a tag URL.`, { hint: "Run the command again." });
    const { error } = await verifyInvocation(context, `${url}${path}`, { ...caller, tell });
    if (error) throw checkFailed(error, revision, service, url);
    return revision;
  });
}

/** Sends all traffic to the latest revision. Throws CONFLICT if a revision was checked, and a later one exists by now. */
export async function promote(
  service: Service,
  checkedRevision: string | undefined,
  options: TrafficOptions,
  { cloud, runStep }: Pick<Tools, "cloud" | "runStep">,
): Promise<Service> {
  const revision = checkedRevision ?? service.latest_created_revision;
  const text = { running: `Sending all traffic to ${revision}`, done: `${revision} receives all traffic`, failed: "Traffic update failed" };
  return runStep("promote", text, async () => {
    if (checkedRevision !== undefined) assertLatest(await cloud.describe(options), checkedRevision);
    return cloud.traffic(options);
  });
}

function assertLatest(service: Service, revision: string): void {
  const { latest_created_revision: latest } = service;
  if (latest === revision && hasCandidateTag(service, revision)) return;
  throw new CliError("CONFLICT", `Revision ${latest} was deployed while ${revision} was being checked. Traffic is unchanged.`, {
    hint: "Run the command again when the other deployment has finished.",
    details: { revision, other: latest },
  });
}

function hasCandidateTag({ traffic }: Service, revision: string): boolean {
  return traffic.some((target) => target.tag === CANDIDATE && target.revision === revision);
}

function checkFailed(error: CliError, revision: string, { traffic, service }: Service, url: string): CliError {
  const serving = traffic.filter(({ percent }) => percent > 0).map((target) => target.revision);
  return error.with({
    message: `Revision ${revision} failed the check, so ${serving.join(", ")} is still serving. ${error.message}`,
    hint: "Fix the service, then run the command again.",
    next: [nextStep("To see its logs", "logs", service)],
    cause: error,
    details: { revision, serving, candidate_url: url },
  });
}

function nameOf({ service, project, region }: Service) {
  return { service, project, region };
}

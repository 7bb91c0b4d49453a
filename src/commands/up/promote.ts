import type { CachedCredentials } from "../../auth/token-cache.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import type { Service } from "../../cloud/service.ts";
import type { TrafficOptions } from "../../cloud/traffic.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { CANDIDATE } from "./current-state.ts";
import type { RunStep } from "./timed-steps.ts";
import { verifyInvocation } from "./verify-access.ts";

interface Tools {
  readonly cloud: Cloud;
  readonly runStep: RunStep;
  readonly credentials: CachedCredentials;
  readonly isGranted: boolean;
}

/**
 * Calls the latest revision, which gets no traffic yet, at the URL of its tag, and returns its name. Throws what the status means if it is 400 or
 * above.
 */
export async function checkCandidate(
  context: Context,
  service: Service,
  path: string,
  { cloud, runStep, ...caller }: Tools,
): Promise<string> {
  const revision = service.latest_created_revision ?? "";
  return runStep("check", `Checking ${revision} at ${path}`, async () => {
    // Setting labels creates a revision without the tag.
    const tagged = hasCandidateTag(service, revision)
      ? service
      : await cloud.traffic({ ...nameOf(service), to: [], setTags: { [CANDIDATE]: revision } });
    const { url } = tagged.traffic.find(({ tag }) => tag === CANDIDATE) ?? {};
    if (!url) throw new CliError("DEPLOY_FAILED", `${revision} has no URL of its own.`, { hint: "Run the command again." });
    const { error } = await verifyInvocation(context, `${url}${path}`, caller);
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
  return runStep("promote", `Sending all traffic to ${checkedRevision ?? service.latest_created_revision}`, async () => {
    if (checkedRevision !== undefined) assertLatest(await cloud.describe(options), checkedRevision);
    return cloud.traffic(options);
  });
}

function assertLatest(service: Service, revision: string): void {
  const { latest_created_revision: latest } = service;
  if (latest === revision && hasCandidateTag(service, revision)) return;
  throw new CliError("CONFLICT", `Somebody else deployed ${latest} while ${revision} was checked: the traffic stays as it was.`, {
    hint: "Run the command again when the other deployment has ended.",
    details: { revision, other: latest },
  });
}

function hasCandidateTag({ traffic }: Service, revision: string): boolean {
  return traffic.some((target) => target.tag === CANDIDATE && target.revision === revision);
}

function checkFailed(error: CliError, revision: string, { traffic, service }: Service, url: string): CliError {
  const serving = traffic.filter(({ percent }) => percent > 0).map((target) => target.revision);
  return error.with({
    message: `${revision} did not pass, and gets no traffic: ${serving.join(", ")} serves on. ${error.message}`,
    hint: `Mend the service and run up again. What ${revision} printed: cloudrun-oauth logs ${service}`,
    cause: error,
    details: { revision, serving, candidate_url: url },
  });
}

function nameOf({ service, project, region }: Service) {
  return { service, project, region };
}

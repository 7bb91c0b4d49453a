import type { CachedCredentials } from "../../auth/token-cache.ts";
import type { Cloud, Service } from "../../cloud/cloud.ts";
import { LATEST } from "../../cloud/operate.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { CANDIDATE } from "./current-state.ts";
import { call } from "./verify-access.ts";
import type { Step } from "./steps.ts";

interface Checking {
  readonly cloud: Cloud;
  readonly step: Step;
  readonly credentials: CachedCredentials;
  readonly isGranted: boolean;
}

/** Calls the latest revision, which gets no traffic yet, at its tag's URL; gives its name. Throws what its answer means where that is 400 or above. */
export async function check(context: Context, service: Service, path: string, { cloud, step, ...calling }: Checking): Promise<string> {
  const revision = service.latest_created_revision ?? "";
  return step("check", `Checking ${revision} at ${path}`, async () => {
    const tagged = hasTag(service, revision)
      ? service
      : await cloud.traffic({ ...nameOf(service), to: [], setTags: { [CANDIDATE]: revision } });
    const { url } = tagged.traffic.find(({ tag }) => tag === CANDIDATE) ?? {};
    if (!url) throw new CliError("DEPLOY_FAILED", `${revision} has no URL of its own.`, { hint: "Run the command again." });
    const { error } = await call(context, `${url}${path}`, calling);
    if (error) throw notGood(error, revision, service, url);
    return revision;
  });
}

/** Sends all traffic to the latest revision: to the one that was checked, or to none. Throws CONFLICT where there is a later one by now. */
export async function promote(
  service: Service,
  checked: string | undefined,
  { cloud, step }: Pick<Checking, "cloud" | "step">,
): Promise<Service> {
  const name = nameOf(service);
  const revision = checked ?? service.latest_created_revision ?? "";
  return step("promote", `Sending all traffic to ${revision}`, async () => {
    const now = checked === undefined ? service : await cloud.describe(name);
    const isOther = now.latest_created_revision !== revision || (checked !== undefined && !hasTag(now, revision));
    if (isOther)
      throw new CliError(
        "CONFLICT",
        `Somebody else deployed ${now.latest_created_revision} while ${revision} was checked: the traffic stays as it was.`,
        {
          hint: "Run the command again when the other deployment has ended.",
          details: { revision, other: now.latest_created_revision },
        },
      );
    const removeTags = now.traffic.some(({ tag }) => tag === CANDIDATE) ? [CANDIDATE] : [];
    return cloud.traffic({ ...name, to: [{ revision: LATEST, percent: 100 }], removeTags });
  });
}

function hasTag({ traffic }: Service, revision: string): boolean {
  return traffic.some((target) => target.tag === CANDIDATE && target.revision === revision);
}

function notGood(error: CliError, revision: string, { traffic, service }: Service, url: string): CliError {
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

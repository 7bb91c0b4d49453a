import type { CachedCredentials } from "../../auth/token-cache.ts";
import { principalOfToken } from "../../auth/principal.ts";
import { audienceFor } from "../../auth/audience.ts";
import type { Cloud, Service } from "../../cloud/cloud.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { readMember } from "../../cloud/member.ts";
import { check, promote } from "./promote.ts";
import { compareService, type Reasons, type Wanted } from "./diff.ts";
import {
  assertPrivate,
  CANDIDATE,
  INVOKER,
  isFollowing,
  isPending,
  isUnsettled,
  mayInvoke,
  settle,
  survey,
  type ServiceState,
} from "./current-state.ts";
import { grantMark, isGrantMarked, isMade, MADE } from "./ownership-labels.ts";
import { call, refuse } from "./verify-access.ts";
import type { Step } from "./steps.ts";

export interface Road {
  readonly cloud: Cloud;
  readonly step: Step;
  /** Who calls the service in the end. */
  readonly credentials: CachedCredentials;
  /** The path that a candidate has to answer before it gets traffic. */
  readonly check?: string | undefined;
  /** True where nobody else can be at work, so that nothing has to be looked at twice. */
  readonly isAlone?: boolean;
}

/** Goes on from what is there to an authenticated call: nothing is done that is done already. */
export async function walk(context: Context, wanted: Wanted, ground: ServiceState, reasons: Reasons, road: Road) {
  const { cloud, step } = road;
  const { directory: _, image, ...name } = wanted;
  assertPrivate(ground);
  let [there, todo] = [ground, reasons];
  if (todo.build !== undefined) {
    await step("build", `Building ${image}`, () => cloud.build({ ...wanted, repositoryLabels: MADE }));
    // A build takes a while: somebody else may have come as far meanwhile.
    if (!road.isAlone) {
      there = await survey(cloud, name);
      todo = compareService(wanted, there);
      assertPrivate(there);
    }
  }
  let service = await deploy(context, wanted, there, todo, road);
  const refused = await step("refuse", "Calling it without a credential", () => refuse(context, service.url));
  context.terminal.note(`  ${refused.status_code}: refused, as it has to be.`);

  const member = await memberOf(context, road, service.url);
  // The grant's mark makes a revision of its own, and that one is to serve then.
  const isWaiting = isPending(service);
  const granted = await grant(service, member, there, road);
  service = granted.service;
  const calling = { credentials: road.credentials, isGranted: granted.isGranted && road.credentials.principal === member };
  if (isWaiting) {
    const checked = road.check === undefined ? undefined : await check(context, service, road.check, { ...road, ...calling });
    service = await promote(service, checked, road);
  } else if (!isFollowing(service)) tellTraffic(context, service);
  const invoke = await step("invoke", `Calling it as ${member}`, () => call(context, `${service.url}${road.check ?? ""}`, calling));
  return { ...name, url: service.url, image, revision: service.revision, member, refused, invoke };
}

async function deploy(
  context: Context,
  wanted: Wanted,
  { service, policy }: ServiceState,
  { deploy: why }: Reasons,
  road: Road,
): Promise<Service> {
  const { directory: _, ...options } = wanted;
  const { cloud, step } = road;
  if (why === undefined && service) {
    const title = `Waiting for ${service.latest_created_revision}, which is being deployed`;
    return isUnsettled(service) ? sound(await step("deploy", title, () => settle(cloud, options, context.signal))) : service;
  }
  // Where nothing serves yet there is nothing to keep. Divided traffic would stay as it is, and the tag says what is yet to be done.
  const isCandidate = service?.revision != null && (road.check !== undefined || !isFollowing(service));
  const member = service && !isMade(service) ? await memberOf(context, road, service.url) : undefined;
  const mark = member !== undefined && policy && !mayInvoke(policy, member) ? grantMark(member) : undefined;
  const labels = service ? mark : MADE;
  return step("deploy", `Deploying ${options.service}${isCandidate ? " without traffic" : ""}`, () =>
    cloud.deploy({ ...options, ...(labels && { labels }), ...(isCandidate && { tag: CANDIDATE, noTraffic: true }) }),
  );
}

function sound(service: Service): Service {
  const failed = service.conditions.find(({ status }) => status === "False");
  if (!failed) return service;
  throw new CliError("DEPLOY_FAILED", failed.message ?? `${service.latest_created_revision} did not become ready.`, {
    hint: "Mend it, and run the command again.",
  });
}

/** Lets the member in where the policy does not; says whether it does then. A policy that nobody here may read stays as it is. */
async function grant(service: Service, member: string, { policy }: ServiceState, { cloud, step }: Road) {
  if (!policy || mayInvoke(policy, member)) return { service, isGranted: policy !== undefined };
  return step("grant", `Granting ${INVOKER} to ${member}`, async () => {
    const name = { service: service.service, project: service.project, region: service.region };
    // Marked first: a grant without its mark would stay for ever.
    const isMarked = isMade(service) || isGrantMarked(service, member);
    const marked = isMarked ? service : await cloud.setLabels({ ...name, set: grantMark(member) });
    await cloud.grant({ ...name, member, role: INVOKER });
    return { service: marked, isGranted: true };
  });
}

/** Whoever has divided the traffic, or taken a revision back, meant it. */
function tellTraffic({ terminal }: Context, { service, traffic }: Service): void {
  const shares = traffic.filter(({ percent }) => percent > 0).map(({ revision, percent }) => `${percent}% to ${revision}`);
  terminal.note(
    `The traffic stays as it was divided: ${shares.join(", ")}. All to the latest: cloudrun-oauth traffic ${service} --to LATEST`,
  );
}

/** Who is to be let in: whom the settings name, or whoever calls. */
async function memberOf({ settings }: Context, { credentials }: Road, url: string): Promise<string> {
  const named = settings.get("member")?.value;
  if (named !== undefined) return readMember(named);
  const token =
    credentials.principal ?? principalOfToken(await credentials.fetchIdToken(credentials.audience ?? audienceFor(new URL(url))));
  return token ?? readMember(settings.require("member"));
}

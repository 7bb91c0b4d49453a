import type { BuildOptions, Cloud, DeployOptions } from "../../cloud/cloud.ts";
import { shortImageName } from "../../cloud/images.ts";
import type { ServiceName } from "../../cloud/names.ts";
import { INVOKER_ROLE } from "../../cloud/permissions.ts";
import type { Service } from "../../cloud/service.ts";
import { LATEST, type TrafficOptions } from "../../cloud/traffic.ts";
import type { NextStep } from "../../errors/next-step.ts";
import { sendTrafficToLatest } from "../service/traffic.ts";
import {
  assertPrivate,
  CANDIDATE,
  canInvoke,
  hasCandidate,
  isDeploying,
  isFollowingLatest,
  isReady,
  type ServiceState,
} from "./current-state.ts";
import { CREATED_LABELS, grantLabels, isCreatedByUp, isGrantedByUp } from "./ownership-labels.ts";

export interface Goal extends ServiceName {
  /** The folder with the Dockerfile; absolute. */
  readonly directory: string;
  /** The image of the folder's source: the same source always has the same image. */
  readonly image: string;
  /** A path that a new revision must answer with a status below 400 before it gets traffic. */
  readonly check?: string;
}

export interface UpState extends ServiceState {
  /** Whether the image of the source exists; false if no deployment needs it. */
  readonly isImageBuilt: boolean;
  /** Who gets access; undefined if only an ID token tells, and the service that it would be for doesn't exist. */
  readonly member?: string;
}

export interface Step {
  readonly name: "build" | "deploy" | "refuse" | "grant" | "check" | "promote" | "invoke";
  /** Why it runs, or why it is skipped. */
  readonly why: string;
  /** What it does; undefined if it is skipped. */
  readonly action?: Action;
  /** What a run prints about a step that it skips. */
  readonly note?: string;
  /** The command that changes what the note says. */
  readonly next?: NextStep;
}

type Labels = Readonly<Record<string, string>>;

type Action =
  | { readonly kind: "build"; readonly options: BuildOptions }
  | { readonly kind: "deploy"; readonly options: DeployOptions }
  /** Wait for a deployment that is running already. */
  | { readonly kind: "wait" }
  | { readonly kind: "refuse" }
  /** The labels, if any, mark the grant as one that `down` revokes. */
  | { readonly kind: "grant"; readonly member: string | undefined; readonly labels?: Labels }
  | { readonly kind: "check"; readonly path: string }
  | { readonly kind: "promote"; readonly options: TrafficOptions }
  | { readonly kind: "invoke"; readonly path: string };

/** The steps in their order, for `--plan`, `--dry-run` and the run itself. Throws CONFLICT if the service is public. */
export function planSteps(goal: Goal, state: UpState): readonly Step[] {
  assertPrivate(state);
  const { service } = state;
  const deployReason = findDeployReason(goal, service);
  // Without a ready revision, no traffic must be kept. If traffic is divided, the candidate's tag tells the next run to promote it.
  const isCandidate = deployReason !== undefined && service?.revision != null && (goal.check !== undefined || !isFollowingLatest(service));
  const isPromoting = isCandidate || (deployReason === undefined && service !== undefined && hasCandidate(service));
  const labels = neededGrantLabels(state);
  return [
    planBuild(goal, state, deployReason),
    planDeploy(goal, service, { reason: deployReason, isCandidate, labels: service ? labels : CREATED_LABELS }),
    { name: "refuse", why: "an unauthenticated request must be rejected", action: { kind: "refuse" } },
    // A deployment sets the labels, too.
    planGrant(state, deployReason === undefined ? labels : undefined),
    ...(isPromoting && goal.check !== undefined
      ? [
          {
            name: "check",
            why: "the candidate must respond before it receives traffic",
            action: { kind: "check", path: goal.check },
          } as const,
        ]
      : []),
    planPromotion(goal, service, isPromoting),
    { name: "invoke", why: "an authenticated request must succeed", action: { kind: "invoke", path: goal.check ?? "" } },
  ];
}

/** Why the service needs a new revision; undefined if it runs the image, or is about to. */
export function findDeployReason({ image, service: name }: Goal, service: Service | undefined): string | undefined {
  if (!service) return `service ${name} doesn't exist`;
  if (service.image !== image) return "the source has changed";
  return isReady(service) || isDeploying(service) ? undefined : "the latest revision isn't ready";
}

/** Labels for a service that existed before `up`, if the member gets access now. */
function neededGrantLabels({ service, policy, member }: UpState): Labels | undefined {
  const isLabelNeeded = service && !isCreatedByUp(service) && policy && member !== undefined && !canInvoke(policy, member);
  return isLabelNeeded && !isGrantedByUp(service, member) ? grantLabels(member) : undefined;
}

function planBuild(goal: Goal, { isImageBuilt }: UpState, deployReason: string | undefined): Step {
  const why = "an image for this source already exists";
  if (deployReason === undefined) return { name: "build", why };
  if (isImageBuilt) return { name: "build", why, note: `${shortImageName(goal.image)} already exists; skipping build.` };
  const options = { ...goal, repositoryLabels: CREATED_LABELS };
  return { name: "build", why: "no image for this source exists yet", action: { kind: "build", options } };
}

function planDeploy(
  { service: name, project, region, image }: Goal,
  service: Service | undefined,
  { reason, isCandidate, labels }: { reason: string | undefined; isCandidate: boolean; labels: Labels | undefined },
): Step {
  if (reason !== undefined) {
    const candidate = isCandidate && { tag: CANDIDATE, noTraffic: true };
    const options = { service: name, project, region, image, ...(labels && { labels }), ...candidate };
    return { name: "deploy", why: reason, action: { kind: "deploy", options } };
  }
  if (service && isDeploying(service))
    return { name: "deploy", why: `${service.latest_created_revision} is being deployed`, action: { kind: "wait" } };
  return { name: "deploy", why: "the service is up to date", note: `${name} is up to date; skipping build and deploy.` };
}

function planGrant({ policy, member }: UpState, labels: Labels | undefined): Step {
  const who = member ?? "the caller";
  if (!policy) {
    const why = "the IAM policy can't be read (requires run.services.getIamPolicy)";
    return { name: "grant", why, note: `Skipping the grant to ${who}: ${why}.` };
  }
  if (member !== undefined && canInvoke(policy, member)) return { name: "grant", why: `${member} already has access` };
  return { name: "grant", why: `${who} doesn't have access`, action: { kind: "grant", member, ...(labels && { labels }) } };
}

function planPromotion({ service: name, project, region }: Goal, service: Service | undefined, isPromoting: boolean): Step {
  const options = { service: name, project, region, to: [{ revision: LATEST, percent: 100 }], removeTags: [CANDIDATE] };
  if (isPromoting) return { name: "promote", why: "the latest revision doesn't receive traffic yet", action: { kind: "promote", options } };
  if (!service || isFollowingLatest(service)) return { name: "promote", why: "new revisions receive all traffic" };
  const shares = service.traffic.filter(({ percent }) => percent > 0).map(({ revision, percent }) => `${revision} (${percent}%)`);
  const note = `Traffic is pinned to ${shares.join(", ")}.`;
  return { name: "promote", why: "the traffic split was set by hand", note, next: sendTrafficToLatest(name) };
}

/** Whether a step changes anything: the others wait, or call the service. */
export function isChange({ action }: Step): boolean {
  return action !== undefined && ["build", "deploy", "grant", "promote"].includes(action.kind);
}

/** What a step does, as commands or requests that have the same effect; empty if it changes and calls nothing. */
export function describeAction(
  cloud: Cloud,
  { service, project, region }: Goal,
  url: string,
  action: Action | undefined,
): readonly string[] {
  const name = { service, project, region };
  switch (action?.kind) {
    case "build":
      return cloud.plan("build", action.options);
    case "deploy":
      return cloud.plan("deploy", action.options);
    case "refuse":
      return [`curl ${url}`];
    case "grant":
      return [
        ...(action.labels ? cloud.plan("setLabels", { ...name, set: action.labels }) : []),
        ...cloud.plan("grant", { ...name, member: action.member ?? "MEMBER", role: INVOKER_ROLE }),
      ];
    case "promote":
      return cloud.plan("traffic", action.options);
    case "check":
    case "invoke":
      return [`cloudrun-oauth invoke ${url}${action.path}`];
    default:
      return [];
  }
}

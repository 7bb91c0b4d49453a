import type { Cloud } from "../../cloud/cloud.ts";
import { LATEST } from "../../cloud/operate.ts";
import type { Reasons, Wanted } from "./diff.ts";
import { CANDIDATE, INVOKER, isFollowing, isPending, mayInvoke, type ServiceState } from "./current-state.ts";
import { grantMark, isGrantMarked, isMade, MADE } from "./ownership-labels.ts";

/** A step as it would be taken. */
export interface PlannedStep {
  readonly name: string;
  /** Whether it changes anything. */
  readonly change: boolean;
  /** Why it is taken, or why it is not. */
  readonly why: string;
  /** What it does, as it could be done by hand. */
  readonly lines: readonly string[];
}

interface Options {
  readonly cloud: Cloud;
  /** Undefined where only a token would tell. */
  readonly member: string | undefined;
  readonly check?: string | undefined;
}

/** What a walk would do from here, step by step. */
export function planWalk(wanted: Wanted, ground: ServiceState, reasons: Reasons, { cloud, member, check }: Options): PlannedStep[] {
  const { directory: _, ...options } = wanted;
  const { service, project, region } = wanted;
  const there = ground.service;
  const url = there?.url ?? "SERVICE_URL";
  const name = { service, project, region };
  const isCandidate = reasons.deploy !== undefined && there?.revision != null && (check !== undefined || !isFollowing(there));
  const isLetIn = ground.policy !== undefined && member !== undefined && mayInvoke(ground.policy, member);
  const needsMark = there !== undefined && !isMade(there) && !isLetIn && member !== undefined && !isGrantMarked(there, member);
  const labels = there ? (needsMark ? grantMark(member) : undefined) : MADE;
  const moves = isCandidate || (reasons.deploy === undefined && there !== undefined && isPending(there));
  const hasCandidate = isCandidate || there?.traffic.some(({ tag }) => tag === CANDIDATE);

  const change = (step: string, why: string | undefined, idle: string, lines: () => readonly string[]): PlannedStep =>
    why === undefined ? { name: step, change: false, why: idle, lines: [] } : { name: step, change: true, why, lines: lines() };
  const look = (step: string, why: string, line: string): PlannedStep => ({ name: step, change: false, why, lines: [line] });
  const callLine = (path: string) => `cloudrun-oauth invoke ${url}${path}`;

  return [
    change("build", reasons.build, "the image of this source is there", () => cloud.plan("build", { ...wanted, repositoryLabels: MADE })),
    change("deploy", reasons.deploy, "the service runs this source", () =>
      cloud.plan("deploy", { ...options, ...(labels && { labels }), ...(isCandidate && { tag: CANDIDATE, noTraffic: true }) }),
    ),
    look("refuse", "a call without a credential has to be refused", `curl ${url}`),
    change("grant", isLetIn ? undefined : `${member ?? "who calls"} may not call it yet`, `${member} may call it`, () => [
      ...(needsMark && reasons.deploy === undefined ? cloud.plan("setLabels", { ...name, set: grantMark(member) }) : []),
      ...cloud.plan("grant", { ...name, member: member ?? "MEMBER", role: INVOKER }),
    ]),
    ...(check !== undefined && moves ? [look("check", "a candidate has to answer before it gets traffic", callLine(check))] : []),
    change("promote", moves ? "the latest revision gets no traffic before" : undefined, "the traffic is divided as it is to be", () =>
      cloud.plan("traffic", { ...name, to: [{ revision: LATEST, percent: 100 }], removeTags: hasCandidate ? [CANDIDATE] : [] }),
    ),
    look("invoke", "an authorised call has to be let in", callLine(check ?? "")),
  ];
}

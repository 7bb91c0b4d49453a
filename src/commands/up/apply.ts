import type { CachedCredentials } from "../../auth/token-cache.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import type { Service } from "../../cloud/service.ts";
import { INVOKER_ROLE } from "../../cloud/permissions.ts";
import type { Context } from "../../context/context.ts";
import { waitUntilReady } from "./current-state.ts";
import { planSteps, type Goal, type Step, type UpState } from "./plan.ts";
import { checkCandidate, promote } from "./promote.ts";
import type { RunStep } from "./timed-steps.ts";
import { findMember, readUpState } from "./read-up-state.ts";
import { verifyInvocation, verifyRefusal, type Invocation } from "./verify-access.ts";

export interface Tools {
  readonly cloud: Cloud;
  readonly runStep: RunStep;
  /** The caller's credentials. */
  readonly credentials: CachedCredentials;
  /** True if no one else can change the service, so that nothing is read twice. */
  readonly isAlone?: boolean;
}

/** What `up` has brought about. */
export interface Outcome {
  readonly service: Service;
  readonly member: string;
  readonly refused: { readonly status_code: number };
  readonly invocation: Invocation;
}

/** The state after some of the steps, and what they have brought about. */
type Progress = UpState & Partial<Outcome> & { readonly checkedRevision?: string };

/** Takes the steps of the plan. Throws as each step does; a run after that goes on from what has been done. */
export async function applyPlan(context: Context, goal: Goal, state: UpState, tools: Tools): Promise<Outcome> {
  let progress: Progress = state;
  for (const step of planSteps(goal, state)) {
    progress = await applyStep(context, goal, step, progress, tools);
    // Both take a while, in which someone else can deploy.
    if (step.action?.kind === "build" || step.action?.kind === "wait") return applyPlan(context, goal, progress, tools);
  }
  const { service, member, refused, invocation } = progress;
  if (!service || member === undefined || !refused || !invocation) throw new Error("A plan ends with a call of the deployed service.");
  return { service, member, refused, invocation };
}

async function applyStep(context: Context, goal: Goal, { action }: Step, progress: Progress, tools: Tools): Promise<Progress> {
  const { cloud, runStep, credentials } = tools;
  const { service } = progress;
  if (!action) return progress;
  if (action.kind === "build") {
    await runStep("build", `Building ${goal.image}`, () => cloud.build(action.options));
    return tools.isAlone ? { ...progress, isImageBuilt: true } : readUpState(context, goal, tools, true);
  }
  if (action.kind === "deploy") {
    const title = `Deploying ${goal.service}${action.options.noTraffic ? " without traffic" : ""}`;
    return { ...progress, service: await runStep("deploy", title, () => cloud.deploy(action.options)) };
  }
  if (!service) throw new Error(`The step ${action.kind} comes after a deployment.`);
  const member = progress.member ?? (await findMember(context, credentials, service.url));
  // If the member has access, a refusal can only mean that the grant hasn't reached every front end yet.
  const calling = { credentials, isGranted: progress.policy !== undefined && credentials.principal === member };
  const name = { service: service.service, project: service.project, region: service.region };
  switch (action.kind) {
    case "wait": {
      const title = `Waiting for ${service.latest_created_revision}, which is being deployed`;
      return { ...progress, service: await runStep("deploy", title, () => waitUntilReady(cloud, name, context.signal)) };
    }
    case "refuse": {
      const refused = await runStep("refuse", "Calling it without a credential", () => verifyRefusal(context, service.url));
      context.terminal.note(`  ${refused.status_code}: refused, as it has to be.`);
      return { ...progress, member, refused };
    }
    case "grant":
      return runStep("grant", `Granting ${INVOKER_ROLE} to ${member}`, async () => {
        // The labels come first: `down` would never find a grant without its label.
        const labeled = action.labels ? await cloud.setLabels({ ...name, set: action.labels }) : service;
        await cloud.grant({ ...name, member, role: INVOKER_ROLE });
        return { ...progress, service: labeled };
      });
    case "check":
      return { ...progress, checkedRevision: await checkCandidate(context, service, action.path, { cloud, runStep, ...calling }) };
    case "promote":
      return { ...progress, service: await promote(service, progress.checkedRevision, action.options, { cloud, runStep }) };
    case "invoke": {
      const url = `${service.url}${action.path}`;
      return { ...progress, invocation: await runStep("invoke", `Calling it as ${member}`, () => verifyInvocation(context, url, calling)) };
    }
  }
}

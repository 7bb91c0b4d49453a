import type { CachedCredentials } from "../../auth/token-cache.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import { shortImageName } from "../../cloud/images.ts";
import { INVOKER_ROLE } from "../../cloud/permissions.ts";

import type { Service } from "../../cloud/service.ts";
import type { Context } from "../../context/context.ts";
import { waitUntilReady } from "./current-state.ts";
import { planSteps, type Goal, type Step, type UpState } from "./plan.ts";
import { checkCandidate, promote } from "./promote.ts";
import { findMember, readUpState } from "./read-up-state.ts";
import type { RunStep } from "./timed-steps.ts";
import { verifyInvocation, verifyRefusal, type Invocation } from "./verify-access.ts";

export interface Tools {
  readonly cloud: Cloud;
  readonly runStep: RunStep;
  readonly credentials: CachedCredentials;
  /** True if no one else can change the service, so that nothing is read twice. */
  readonly isAlone?: boolean;
}

interface Outcome {
  readonly service: Service;
  readonly member: string;
  readonly refused: { readonly status_code: number };
  readonly invocation: Invocation;
}

/** The state after some of the steps, and what they have brought about. */
type Progress = UpState & Partial<Outcome> & { readonly checkedRevision?: string };

/** Takes the steps of the plan. Throws as each step does; a run after that continues from what has been done. */
export async function applyPlan(context: Context, goal: Goal, state: UpState, tools: Tools): Promise<Outcome> {
  let progress: Progress = state;
  for (const step of planSteps(goal, state)) {
    progress = await applyStep(context, goal, step, progress, tools);
    // Both take a while, in which someone else can deploy.
    if (step.action?.kind === "build" || step.action?.kind === "wait") return applyPlan(context, goal, progress, tools);
  }
  const { service, member, refused, invocation } = progress;
  if (!service || member === undefined || !refused || !invocation) throw new Error("A plan ends with a call to the deployed service.");
  return { service, member, refused, invocation };
}

async function applyStep(context: Context, goal: Goal, { action }: Step, progress: Progress, tools: Tools): Promise<Progress> {
  const { cloud, runStep, credentials } = tools;
  const { service } = progress;
  if (!action) return progress;
  if (action.kind === "build") {
    const text = { running: "Building image", done: `Built ${shortImageName(goal.image)}`, failed: "Build failed" };
    await runStep("build", text, (tell) => cloud.build({ ...action.options, tell }));
    return tools.isAlone ? { ...progress, isImageBuilt: true } : readUpState(context, goal, tools, true);
  }
  if (action.kind === "deploy") {
    const suffix = action.options.noTraffic ? " without traffic" : "";
    const text = { running: `Deploying ${goal.service}${suffix}`, done: `Deployed ${goal.service}${suffix}`, failed: "Deployment failed" };
    return { ...progress, service: await runStep("deploy", text, (tell) => cloud.deploy({ ...action.options, tell })) };
  }
  if (!service) throw new Error(`The step ${action.kind} comes after a deployment.`);
  const member = progress.member ?? (await findMember(context, credentials, service.url));
  const account = member.replace(/^\w+:/, "");
  // If the member has access, a refusal can only mean that the grant hasn't reached every front end yet.
  const caller = { credentials, isGranted: progress.policy !== undefined && credentials.principal === member };
  const name = { service: service.service, project: service.project, region: service.region };
  switch (action.kind) {
    case "wait": {
      const revision = service.latest_created_revision;
      const text = { running: `Waiting for ${revision}`, done: `${revision} is ready`, failed: "Deployment failed" };
      const wait = (tell: (text: string) => void) => (
        tell("its deployment is still in progress (can take a few minutes)"),
        waitUntilReady(cloud, name, context.signal)
      );
      return { ...progress, service: await runStep("deploy", text, wait) };
    }
    case "refuse": {
      const text = {
        running: "Sending an unauthenticated request",
        done: ({ status_code }: Outcome["refused"]) => `Unauthenticated request rejected (${status_code})`,
        failed: "Unauthenticated request wasn't rejected",
      };
      return { ...progress, member, refused: await runStep("refuse", text, () => verifyRefusal(context, service)) };
    }
    case "grant": {
      const text = {
        running: `Granting ${INVOKER_ROLE} to ${account}`,
        done: `Granted ${INVOKER_ROLE} to ${account}`,
        failed: "Grant failed",
      };
      return runStep("grant", text, async () => {
        // The labels come first: `down` would never find a grant without its label.
        const labeled = action.labels ? await cloud.setLabels({ ...name, set: action.labels }) : service;
        await cloud.grant({ ...name, member, role: INVOKER_ROLE });
        return { ...progress, service: labeled };
      });
    }
    case "check":
      return { ...progress, checkedRevision: await checkCandidate(context, service, action.path, { cloud, runStep, ...caller }) };
    case "promote":
      return { ...progress, service: await promote(service, progress.checkedRevision, action.options, { cloud, runStep }) };
    case "invoke": {
      let invocation: Invocation | undefined;
      const text = {
        running: "Sending an authenticated request",
        done: () => `Authenticated request succeeded (${invocation?.status}) as ${account}`,
        failed: "Authenticated request failed",
      };
      await runStep("invoke", text, async (tell) => {
        invocation = await verifyInvocation(context, `${service.url}${action.path}`, { ...caller, tell });
        if (invocation.error) throw invocation.error;
      }).catch((error: unknown) => {
        // The response is printed before the command fails with its status.
        if (error !== invocation?.error) throw error;
      });
      return { ...progress, ...(invocation && { invocation }) };
    }
  }
}

/** Prints the response of the authenticated call; under `--json`, one document about everything. Throws if the response is an error. */
export function printOutcome({ terminal }: Context, goal: Goal, outcome: Outcome, steps: readonly object[]): void {
  const { service, member, refused, invocation } = outcome;
  const { service: name, project, region, image } = goal;
  const { url, revision } = service;
  const invoke = JSON.parse(invocation.document) as unknown;
  if (terminal.json) terminal.printJson({ service: name, project, region, url, image, revision, member, refused, invoke, steps });
  else terminal.print(invocation.document);
  if (invocation.error) throw invocation.error;
}

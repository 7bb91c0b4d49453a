import type { Cloud, GrantOptions } from "../../cloud/cloud.ts";
import type { SetupOutcome, SetupStep } from "../../cloud/pipeline-setup.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { poll } from "../../http/poll.ts";
import { describeStep } from "./setup-steps.ts";

/** The beginning of the line about a step that is done. */
const DONE: Readonly<Record<SetupOutcome, string>> = {
  made: "Created",
  changed: "Updated",
  there: "Found",
  enabled: "Enabled",
  granted: "Granted",
};

/** A new account can take up to a minute to become available. */
const NEW_ACCOUNT_TIMEOUT_MS = 60_000;

interface AppliedStep {
  readonly step: string;
  readonly outcome: SetupOutcome;
}

/** Sets a project up for a pipeline, and grants the caller access to the service if it exists already. */
export async function applySetup(
  { terminal, signal }: Pick<Context, "terminal" | "signal">,
  cloud: Cloud,
  steps: readonly SetupStep[],
  grant: GrantOptions | undefined,
): Promise<AppliedStep[]> {
  const applied: AppliedStep[] = [];
  const newAccounts: string[] = [];
  const run = async (step: string, work: () => Promise<SetupOutcome>) => {
    const workUnlessUnsettled = () =>
      work().catch((error: unknown) => {
        if (isUnsettled(error, newAccounts)) return undefined;
        throw error;
      });
    const options = { signal, firstPauseMs: 1000, maxPauseMs: 15_000, timeoutMs: NEW_ACCOUNT_TIMEOUT_MS };
    const text = {
      running: `Setting up ${step}`,
      done: (result: SetupOutcome) => `${DONE[result]} ${step}`,
      failed: `Not set up: ${step}`,
    };
    const outcome = await terminal.step(text, async () => (await poll(workUnlessUnsettled, options)) ?? (await work()));
    applied.push({ step, outcome });
    return outcome;
  };
  for (const step of steps) {
    const outcome = await run(describeStep(step), () => setUp(cloud, step));
    if (step.kind === "account" && outcome === "made") newAccounts.push(step.email);
  }
  if (grant) await run(`${grant.role} on ${grant.service} for ${grant.member}`, () => cloud.grant(grant).then(() => "granted"));
  return applied;
}

/** Whether it can work in a moment: someone else changes the same policy, or an account was created just now. */
function isUnsettled(error: unknown, newAccounts: readonly string[]): boolean {
  if (!(error instanceof CliError)) return false;
  if (error.code === "CONFLICT") return true;
  return error.code === "NOT_FOUND" && error.subject?.kind === "account" && newAccounts.includes(error.subject.name);
}

/** Google's error doesn't say which account is missing. */
async function setUp(cloud: Cloud, step: SetupStep): Promise<SetupOutcome> {
  try {
    return await cloud.setUp(step);
  } catch (error) {
    const isUnnamed = error instanceof CliError && error.code === "NOT_FOUND" && error.subject?.kind !== "account";
    if (step.kind !== "account-role" || !isUnnamed) throw error;
    const { account } = step;
    throw new CliError("NOT_FOUND", `Service account ${account} not found.`, {
      hint: "Pass the account that runs the service with --service-account.",
      cause: error,
      subject: { kind: "account", name: account },
      details: { account },
    });
  }
}

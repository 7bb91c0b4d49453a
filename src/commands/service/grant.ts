import { findCredentials } from "../../auth/find-credentials.ts";
import { withCache, type CachedCredentials } from "../../auth/token-cache.ts";
import type { Cloud, GrantOptions } from "../../cloud/cloud.ts";
import { readMember } from "../../auth/member.ts";
import { requireServiceName } from "../../cloud/names.ts";
import { GRANT_TIMEOUT_MS, INVOKER_ROLE } from "../../cloud/permissions.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";
import { CliError } from "../../errors/cli-error.ts";
import { ignoreCliError } from "../../errors/ignore-cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { poll } from "../../http/poll.ts";
import { responseAuthor } from "../../invoke/refusal/response-author.ts";
import { confirmAccess } from "./confirm-access.ts";

interface GrantFlags {
  readonly role: string;
  readonly wait?: boolean;
}

/** Grants a member a role on a service; with `--wait`, returns when the grant has taken effect. */
export async function grant(context: Context, name: string | undefined, { role, wait }: GrantFlags): Promise<void> {
  const { settings, terminal } = context;
  const options = { ...requireServiceName(settings, name), member: readMember(settings.require("member")), role };
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("grant", options));
  if (!(await confirmAccess(context, options.service, options))) return;
  const granting = { running: `Granting ${role} to ${options.member}`, done: `Granted ${role} to ${options.member}` };
  const { bindings } = await terminal.step(granting, () => cloud.grant(options));
  const waiting = { running: "Waiting for the IAM change to take effect", done: "The IAM change has taken effect" };
  const waited = wait ? await terminal.step(waiting, (tell) => (tell("up to 10 minutes"), waitForEffect(context, cloud, options))) : null;
  if (terminal.json) return terminal.printJson({ ...options, bindings, waited });
  terminal.printTable([
    ["SERVICE", options.service],
    ["MEMBER", options.member],
    ["ROLE", role],
  ]);
}

/** Calls the service until it accepts the member's credentials; without them, waits until the policy contains the member. */
async function waitForEffect(context: Context, cloud: Cloud, options: GrantOptions): Promise<{ by: "call" | "policy"; ms: number }> {
  const startedMs = performance.now();
  const caller = options.role === INVOKER_ROLE ? await findCredentialsOf(context, options.member) : undefined;
  const url = caller && (await cloud.describe(options)).url;
  const check = () => (caller && url ? isAccepted(context, caller, url) : isInPolicy(cloud, options));
  const isEffective = await poll(async () => (await check()) || undefined, {
    signal: context.signal,
    firstPauseMs: 500,
    maxPauseMs: 10_000,
    timeoutMs: GRANT_TIMEOUT_MS,
  });
  if (isEffective) return { by: caller ? "call" : "policy", ms: Math.round(performance.now() - startedMs) };
  throw new CliError("TIMEOUT", `The IAM change didn't take effect within ${GRANT_TIMEOUT_MS / 60_000} minutes.`, {
    hint: "It might still take effect. Call the service in a few minutes.",
    next: [nextStep("To call it", "invoke", options.service)],
  });
}

async function findCredentialsOf(context: Context, member: string): Promise<CachedCredentials | undefined> {
  const credentials = await findCredentials(context.settings.get("credentials"), context).catch(ignoreCliError);
  return credentials?.principal === member ? withCache(credentials, context) : undefined;
}

/** Whether Cloud Run's front end passes the call on; the service's own status code doesn't matter. */
async function isAccepted({ send }: Context, caller: CachedCredentials, url: string): Promise<boolean> {
  const token = await caller.fetchIdToken(url);
  const response = await send({ method: "GET", url, headers: [["Authorization", `Bearer ${token}`]], timeoutMs: 60_000 });
  const body = await response.text();
  if (response.status === 401) caller.rejected(url, token);
  return ![401, 403].includes(response.status) || responseAuthor({ ...response, body }) === undefined;
}

async function isInPolicy(cloud: Cloud, options: GrantOptions): Promise<boolean> {
  const { bindings } = await cloud.policy(options);
  return bindings.some(({ role, members }) => role === options.role && members.includes(options.member));
}

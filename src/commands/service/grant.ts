import { setTimeout as sleep } from "node:timers/promises";
import { findCredentials } from "../../auth/find-credentials.ts";
import { responseAuthor } from "../../invoke/refusal/response-author.ts";
import { withCache, type CachedCredentials } from "../../auth/token-cache.ts";
import type { Cloud, GrantOptions } from "../../cloud/cloud.ts";
import { readMember } from "../../cloud/member.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { printPlan } from "../../context/print-plan.ts";

interface GrantFlags {
  readonly role: string;
  readonly wait?: boolean;
}

/** Milliseconds. https://cloud.google.com/iam/docs/access-change-propagation: "typically 2 minutes, potentially 7 minutes or longer". */
const PATIENCE = 10 * 60_000;

/** Gives a member a role on a service; with `--wait`, comes back when it has taken effect. */
export async function grant(context: Context, name: string | undefined, { role, wait }: GrantFlags): Promise<void> {
  const { settings, terminal } = context;
  const service = { service: settings.require("service", name), project: settings.require("project"), region: settings.require("region") };
  const options = { ...service, member: readMember(settings.require("member")), role };
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("grant", options));

  const { bindings } = await terminal.task(`Granting ${role} to ${options.member}`, () => cloud.grant(options));
  const waited = wait
    ? await terminal.task("Waiting until the grant has taken effect", () => waitForEffect(context, cloud, options))
    : null;
  if (terminal.json) return terminal.printJson({ ...options, bindings, waited });
  terminal.printTable([
    ["SERVICE", options.service],
    ["MEMBER", options.member],
    ["ROLE", role],
  ]);
}

/**
 * Calls the service as the member until it is let in, where the credentials that are set are the member's own; nobody else's calls
 * can tell. Else waits until the policy reads back with the member in it, which is before every front end has heard of it.
 */
async function waitForEffect(context: Context, cloud: Cloud, options: GrantOptions): Promise<{ by: "call" | "policy"; ms: number }> {
  const { signal } = context;
  const started = performance.now();
  const caller = options.role === "roles/run.invoker" ? await credentialsOf(context, options.member) : undefined;
  const url = caller && (await cloud.describe(options)).url;
  for (let pause = 500; ; pause = Math.min(pause * 1.5, 10_000)) {
    const isEffective = caller && url ? await isLetIn(context, caller, url) : await isInPolicy(cloud, options);
    const ms = Math.round(performance.now() - started);
    if (isEffective) return { by: caller ? "call" : "policy", ms };
    if (ms > PATIENCE)
      throw new CliError("TIMEOUT", `The grant has not taken effect within ${PATIENCE / 60_000} minutes.`, {
        hint: "It may yet: call the service in a few minutes.",
      });
    await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function credentialsOf(context: Context, member: string): Promise<CachedCredentials | undefined> {
  const found = await findCredentials(context.settings.get("credentials"), context).catch(() => undefined);
  return found?.principal === member ? withCache(found, context) : undefined;
}

/** Whether Cloud Run's front end passes the call on; what the service then answers is its own business. */
async function isLetIn({ send }: Context, caller: CachedCredentials, url: string): Promise<boolean> {
  const token = await caller.fetchIdToken(url);
  const response = await send({ method: "GET", url, headers: [["Authorization", `Bearer ${token}`]], timeout: 60_000 });
  const body = await response.text();
  if (response.status === 401) caller.forget(url, token);
  return ![401, 403].includes(response.status) || responseAuthor({ ...response, body }) === undefined;
}

async function isInPolicy(cloud: Cloud, options: GrantOptions): Promise<boolean> {
  const { bindings } = await cloud.policy(options);
  return bindings.some(({ role, members }) => role === options.role && members.includes(options.member));
}

import { resolve } from "node:path";
import { Readable } from "node:stream";
import { findCredentials } from "../../auth/find-credentials.ts";
import { withCache, type CachedCredentials } from "../../auth/token-cache.ts";
import { chooseAudience, loginAudienceWarning } from "../../invoke/audience.ts";
import { createAuthenticatedCall } from "../../invoke/authenticated-call.ts";
import { openOutputFile } from "../../invoke/output-file.ts";
import { readCall, describeCall, type Call } from "../../invoke/request.ts";
import { findTargets, isAbsoluteUrl } from "../../invoke/target-url.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import type { ServiceName } from "../../cloud/names.ts";
import { createEvidenceLookup } from "../../invoke/refusal/evidence-lookup.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { setOutputs } from "../../context/pipeline-outputs.ts";
import { findColdStarts, type ColdStarts } from "./cold-starts.ts";
import { askForIt, estimate, type Estimate } from "./cost.ts";
import { createDial } from "./connect.ts";
import { assertWithin } from "./limits.ts";
import { assertAgain, readAmount, type Amount, type LoadFlags } from "./options.ts";
import { drawPlot } from "./plot.ts";
import { describeLoad, failures, perSecond, type About } from "./report.ts";
import { openRequestSource } from "./request-source.ts";
import { runLoad, type Outcome } from "./run-load.ts";
import { showHistogram, showLoad, showProgress } from "./print-report.ts";
import { explainFailure } from "../../http/network-error.ts";
import { bareHost, createRouter, isLoopback, type Route } from "../../http/route.ts";

/**
 * Calls a service many times with an ID token, and prints what came of it. Throws LOAD_FAILED where more failed, or took longer, than the flags allow,
 * after the report; before it as `invoke` does, where the first call is refused, and USAGE where it would cost money and nobody says yes.
 */
export async function load(context: Context, service: string | undefined, path: string | undefined, flags: LoadFlags): Promise<void> {
  const { terminal, settings, env, signal, cwd } = context;
  const amount = readAmount(flags);
  const credentials = withCache(await findCredentials(settings.get("credentials"), context), context, { ...flags, isLongRun: true });
  const call = await findCall(context, service, path, flags, credentials);
  const { url, audience, method } = call;
  const where = flags.coldStarts ? findLog(context, service) : undefined;
  const route = createRouter(env)(url);
  if (context.dryRun) return terminal.printJson({ ...describeCall(call, credentials), ...showAmount(amount) });
  const plot = flags.plot === undefined ? undefined : await openOutputFile(resolve(cwd, flags.plot), "--plot");
  try {
    const check = flags.check === false ? undefined : await checkFirst(context, call, credentials, amount);
    if (!route.isEmulator && !isLoopback(bareHost(url.hostname))) await askFirst(context, estimate(amount, check?.duration), url);
    const started = new Date();
    const { outcome, tokens } = await run(context, { call, route, amount, credentials, instanceHeader: flags.instanceHeader });
    const coldStarts = where && !signal.aborted ? await lookForColdStarts(context, where, started, outcome) : undefined;
    const principal = credentials.principal ?? check?.principal;
    const endedBy = whatEnded(outcome, amount, signal);
    const { instanceHeader } = flags;
    print(context, { url, method, audience, principal, amount, check, instanceHeader, started, endedBy, tokens, coldStarts }, outcome);
    if (plot) {
      const { latencies, intervals } = outcome.tally;
      await plot.write(Readable.from([drawPlot({ title: `${method} ${url.href}`, latencies, intervals })]));
      terminal.note(`The plot is in ${flags.plot}.`);
    }
    if (signal.aborted) throw signal.reason;
    if (outcome.error) throw outcome.error;
    assertWithin(flags, outcome);
  } finally {
    await plot?.discard();
  }
}

interface Run {
  readonly call: Call & { readonly body: Buffer | undefined };
  readonly route: Route;
  readonly amount: Amount;
  readonly credentials: CachedCredentials;
  readonly instanceHeader: string | undefined;
}

async function run({ terminal, signal }: Context, { call, route, amount, credentials, instanceHeader }: Run) {
  const { url, method } = call;
  const source = openRequestSource(call, route, credentials);
  const explain = (error: NodeJS.ErrnoException): string =>
    error.code === "NOT_HTTP" ? `What ${url.host} answers is not HTTP.` : explainFailure(error, url, route).message;
  const dial = createDial(route, signal);
  try {
    const outcome = await terminal.task(`Calling ${url.href}`, (tell) =>
      runLoad({
        ...amount,
        dial,
        source,
        method,
        instanceHeader,
        signal,
        explain,
        progress: (last, tally, seconds) => tell(showProgress(tally, last.answered / seconds, failures({ tally }))),
      }),
    );
    return { outcome, tokens: source.tokens() };
  } finally {
    source.close();
  }
}

/** Throws CliError USAGE where nobody can be asked, INTERRUPTED where somebody says no. */
async function askFirst({ terminal }: Context, estimated: Estimate, { host }: URL): Promise<void> {
  if (!(await terminal.confirm(askForIt(estimated, host)))) throw new CliError("INTERRUPTED", "Nothing was sent.");
}

async function findCall(
  context: Context,
  service: string | undefined,
  path: string | undefined,
  flags: LoadFlags,
  credentials: CachedCredentials,
): Promise<Call & { readonly body: Buffer | undefined }> {
  const isTarget = service !== undefined && isPath(service);
  if (isTarget && path !== undefined)
    throw new CliError("USAGE", `"${service}" is no service.`, {
      hint: "The service goes before the path: cloudrun-oauth load hello /orders",
    });
  const request = assertAgain(await readCall(flags, context));
  const [url] = await findTargets(context, [(isTarget ? service : path) ?? ""], isTarget ? undefined : service);
  const audience = credentials.audience ?? (await chooseAudience(url as URL, flags, context));
  const asked = flags.audience ?? flags.iap;
  if (asked !== undefined && credentials.audience !== undefined && credentials.audience !== asked)
    context.terminal.warn(loginAudienceWarning(credentials.audience, asked));
  context.terminal.debug(`credential: ${credentials.description}`);
  context.terminal.debug(`audience: ${audience}`);
  return { ...request, url: url as URL, audience };
}

/** Whose log there is to ask. Throws CliError USAGE where the service's name is not said: its URL does not tell. */
function findLog({ settings }: Context, service: string | undefined): ServiceName {
  const name = service === undefined || isPath(service) ? undefined : service;
  return { service: settings.require("service", name), project: settings.require("project"), region: settings.require("region") };
}

/** What has been measured is worth more than this: a log that may not be read is a warning. */
async function lookForColdStarts(
  context: Context,
  where: ServiceName,
  started: Date,
  { tally: { slowest } }: Outcome,
): Promise<ColdStarts | undefined> {
  const { terminal, signal } = context;
  try {
    const cloud = await context.cloud();
    const read: Cloud["readLogs"] = (query) => cloud.readLogs(query);
    return await terminal.task(`Reading the log of ${where.service}`, () => findColdStarts(read, where, { started, slowest, signal }));
  } catch (error) {
    if (!(error instanceof CliError) && !signal.aborted) throw error;
    if (error instanceof CliError && !signal.aborted)
      terminal.warn(`Which answers waited for a new instance is not known: ${error.message}`);
    return undefined;
  }
}

function isPath(target: string): boolean {
  return /^[/?]/.test(target) || isAbsoluteUrl(target);
}

/** A call as `invoke` makes it: what is refused is explained once, and not a thousand times. */
async function checkFirst(context: Context, call: Call, credentials: CachedCredentials, { maxTime }: Amount) {
  const send = createAuthenticatedCall(context.send, credentials, {
    retries: 3,
    maxTimeMs: maxTime,
    lookUpEvidence: createEvidenceLookup(context),
  });
  const { response, error, elapsed, principal } = await send(call);
  if (error) throw error;
  await response.bytes();
  return { status: response.status, duration: elapsed(), principal };
}

function showAmount({ requests, duration, concurrency, rate, maxTime }: Amount) {
  return {
    requests: Number.isFinite(requests) ? requests : null,
    duration_ms: Number.isFinite(duration) ? duration : null,
    concurrency,
    rate: rate ?? null,
    max_time_ms: maxTime,
  };
}

function whatEnded({ error, sent }: Outcome, { requests }: Amount, { aborted, reason }: AbortSignal): About["endedBy"] {
  if (aborted) return reason instanceof CliError && reason.code === "TIMEOUT" ? "timeout" : "interrupt";
  if (error) return "error";
  return sent >= requests ? "requests" : "duration";
}

function print({ terminal, env }: Context, about: About, outcome: Outcome): void {
  const { latencies } = outcome.tally;
  if (terminal.json) {
    terminal.printJson(describeLoad(about, outcome));
  } else {
    terminal.printTable(showLoad(about, outcome));
    if (latencies.count > 0) {
      terminal.print("\n");
      terminal.printTable(showHistogram(latencies));
    }
  }
  if (outcome.unsent > 0)
    terminal.warn(
      `${outcome.unsent} requests were due and not sent: at this rate ${about.amount.concurrency} connections are too few. Say --concurrency with more.`,
    );
  setOutputs(env, `Loaded ${about.url.host}`, {
    requests_per_second: Math.round(perSecond(outcome)),
    failed: failures(outcome),
    p50_ms: latencies.percentile(50),
    p99_ms: latencies.percentile(99),
  });
}

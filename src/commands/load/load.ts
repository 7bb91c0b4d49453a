import { resolve } from "node:path";
import { Readable } from "node:stream";
import { findCredentials } from "../../auth/find-credentials.ts";
import { withCache, type CachedCredentials } from "../../auth/token-cache.ts";
import { chooseAudience, loginAudienceWarning } from "../../invoke/audience.ts";
import { createAuthenticatedCall } from "../../invoke/authenticated-call.ts";
import { openOutputFile } from "../../invoke/output-file.ts";
import { readCall, describeCall, type Call } from "../../invoke/request.ts";
import { findTargetUrls, parseTargets } from "../../invoke/target-url.ts";
import { requireServiceName, type ServiceName } from "../../cloud/names.ts";
import { createEvidenceLookup } from "../../invoke/refusal/evidence-lookup.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { setOutputs } from "../../context/pipeline-outputs.ts";
import { findColdStarts, type ColdStarts } from "./cold-starts.ts";
import { createConnect } from "./connect.ts";
import { describeCost, estimateCost } from "./cost.ts";
import { assertWithinLimits } from "./limits.ts";
import { assertRepeatable, readLoadPlan, type LoadFlags, type LoadPlan, type RepeatableCall } from "./options.ts";
import { drawPlot } from "./plot.ts";
import { countFailures, describeLoad, responsesPerSecond, type RunInfo } from "./report.ts";
import { openRequestSource } from "./request-source.ts";
import { runLoad, type Outcome } from "./run-load.ts";
import { formatCount, formatHistogram, formatLoad, formatProgress } from "./print-report.ts";
import { explainFailure } from "../../http/network-error.ts";
import { bareHost, createRouter, isLoopback, type Route } from "../../http/route.ts";

/**
 * Calls a service many times with an ID token, and prints a report. Then throws LOAD_FAILED if more requests failed, or took longer, than the flags allow.
 * Before the run throws as `invoke` does if the first call is rejected, and USAGE if the run costs money and no one can confirm it.
 */
export async function load(context: Context, words: readonly string[], flags: LoadFlags): Promise<void> {
  const { terminal, settings, env, signal, cwd } = context;
  const { instanceHeader } = flags;
  const plan = readLoadPlan(flags);
  const credentials = withCache(await findCredentials(settings.get("credentials"), context), context, { ...flags, isLongRun: true });
  const call = await findCall(context, words, flags, credentials);
  const { url, audience, method } = call;
  const { service } = parseTargets(words);
  // The URL doesn't contain the service's name.
  const serviceLog = flags.coldStarts ? requireServiceName(settings, service) : undefined;
  const route = createRouter(env)(url);
  if (context.dryRun) return terminal.printJson({ ...describeCall(call, credentials), ...describePlan(plan) });
  const plotFile = flags.plot === undefined ? undefined : await openOutputFile(resolve(cwd, flags.plot), "--plot");
  try {
    const check = flags.check === false ? undefined : await callOnce(context, call, credentials, plan);
    if (!route.isEmulator && !isLoopback(bareHost(url.hostname))) {
      terminal.note(describeCost(estimateCost(plan, check?.durationMs), url.host));
      if (!(await terminal.confirm("Start the load test?"))) return terminal.note("No load was sent.");
    }
    const started = new Date();
    const { outcome, tokens } = await run(context, call, route, { plan, credentials, instanceHeader });
    const coldStarts = serviceLog && !signal.aborted ? await readColdStarts(context, serviceLog, started, outcome) : undefined;
    const principal = credentials.principal ?? check?.principal;
    const endedBy = findEndReason(outcome, plan, signal);
    print(context, { url, method, audience, principal, plan, check, instanceHeader, started, endedBy, tokens, coldStarts }, outcome);
    if (plotFile) {
      const { latencies, intervals } = outcome.stats;
      await plotFile.write(Readable.from([drawPlot({ title: `${method} ${url.href}`, latencies, intervals })]));
      terminal.note(`Saved the plot to ${flags.plot}.`);
    }
    if (signal.aborted) throw signal.reason;
    if (outcome.error) throw outcome.error;
    assertWithinLimits(flags, outcome, service);
  } finally {
    await plotFile?.discard();
  }
}

interface RunOptions {
  readonly plan: LoadPlan;
  readonly credentials: CachedCredentials;
  readonly instanceHeader: string | undefined;
}

async function run({ terminal, signal }: Context, call: RepeatableCall, route: Route, options: RunOptions) {
  const { plan, credentials, instanceHeader } = options;
  const { url, method } = call;
  const source = openRequestSource(call, route, credentials);
  const explain = (error: NodeJS.ErrnoException): string =>
    error.code === "NOT_HTTP" ? `${url.host} returned a response that isn't HTTP.` : explainFailure(error, url, route).message;
  const stepText = {
    running: `Sending requests to ${url.host}`,
    done: ({ sent }: Outcome) => `Sent ${formatCount(sent, "request")} to ${url.host}`,
    failed: "Load test failed",
  };
  try {
    const outcome = await terminal.step(stepText, (tell) =>
      runLoad({
        ...plan,
        connect: createConnect(route, signal),
        source,
        method,
        instanceHeader,
        signal,
        explain,
        onProgress: (last, stats, seconds) => tell(formatProgress(stats, last.answered / seconds, countFailures(stats))),
      }),
    );
    return { outcome, tokens: source.tokens() };
  } finally {
    source.close();
  }
}

async function findCall(
  context: Context,
  words: readonly string[],
  flags: LoadFlags,
  credentials: CachedCredentials,
): Promise<RepeatableCall> {
  const request = assertRepeatable(await readCall(flags, context));
  const [url, second] = await findTargetUrls(context, words);
  if (second) throw new CliError("USAGE", "Expected one path, but got two.", { hint: "Run a load test for each path." });
  const audience = credentials.audience ?? (await chooseAudience(url, flags, context));
  const warning = loginAudienceWarning(credentials, flags);
  if (warning) context.terminal.warn(warning);
  context.terminal.debug(`credential: ${credentials.description}`);
  context.terminal.debug(`audience: ${audience}`);
  return { ...request, url, audience };
}

/** If the log can't be read, it warns: the measurement is worth more. */
async function readColdStarts(
  context: Context,
  serviceLog: ServiceName,
  started: Date,
  { stats: { slowest } }: Outcome,
): Promise<ColdStarts | undefined> {
  const { terminal, signal } = context;
  try {
    const cloud = await context.cloud();
    return await terminal.wait(`Waiting for ${serviceLog.service}'s logs (up to 15 s)`, () =>
      findColdStarts((query) => cloud.readLogs(query), serviceLog, { started, slowest, signal }),
    );
  } catch (error) {
    if (signal.aborted) return undefined;
    if (!(error instanceof CliError)) throw error;
    terminal.warn(`Couldn't identify cold starts: ${error.message}`);
    return undefined;
  }
}

/** Calls as `invoke` does, so that a rejection is explained once. */
async function callOnce(context: Context, call: Call, credentials: CachedCredentials, { requestTimeoutMs }: LoadPlan) {
  const send = createAuthenticatedCall(context.send, credentials, {
    retries: 3,
    maxTimeMs: requestTimeoutMs,
    lookUpEvidence: createEvidenceLookup(context),
  });
  const { response, error, elapsed, principal } = await send(call);
  if (error) throw error;
  await response.bytes();
  return { status: response.status, durationMs: elapsed(), principal };
}

function describePlan({ maxRequests, maxDurationMs, concurrency, rate, requestTimeoutMs }: LoadPlan) {
  return {
    requests: Number.isFinite(maxRequests) ? maxRequests : null,
    duration_ms: Number.isFinite(maxDurationMs) ? maxDurationMs : null,
    concurrency,
    rate: rate ?? null,
    max_time_ms: requestTimeoutMs,
  };
}

function findEndReason({ error, sent }: Outcome, { maxRequests }: LoadPlan, { aborted, reason }: AbortSignal): RunInfo["endedBy"] {
  if (aborted) return reason instanceof CliError && reason.code === "TIMEOUT" ? "timeout" : "interrupt";
  if (error) return "error";
  return sent >= maxRequests ? "requests" : "duration";
}

function print({ terminal, env }: Context, info: RunInfo, outcome: Outcome): void {
  const { latencies } = outcome.stats;
  if (terminal.json) {
    terminal.printJson(describeLoad(info, outcome));
  } else {
    terminal.printTable(formatLoad(info, outcome));
    if (latencies.count > 0) {
      terminal.print("\n");
      terminal.printTable(formatHistogram(latencies));
    }
  }
  if (outcome.unsent > 0)
    terminal.warn(`${formatCount(outcome.unsent, "request")} couldn't be sent on time: all connections were busy. Increase --concurrency.`);
  setOutputs(env, `Load test of ${info.url.host}`, {
    requests_per_second: Math.round(responsesPerSecond(outcome)),
    failed: countFailures(outcome.stats),
    p50_ms: latencies.percentile(50),
    p99_ms: latencies.percentile(99),
  });
}

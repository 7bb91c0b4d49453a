import { resolve } from "node:path";
import { Readable } from "node:stream";
import { findCredentials } from "../../auth/find-credentials.ts";
import { withCache } from "../../auth/token-cache.ts";
import type { Context } from "../../context/context.ts";
import { setOutputs } from "../../context/pipeline-outputs.ts";
import { CliError } from "../../errors/cli-error.ts";
import { pause } from "../../http/poll.ts";
import { chooseAudience, loginAudienceWarning } from "../../invoke/audience.ts";
import { createAuthenticatedCall, type CallResult } from "../../invoke/authenticated-call.ts";
import { compactJson } from "../../invoke/json-text.ts";
import { assertRepeatable, assertConsistent, makesSeveralCalls, printsRawBody, type InvokeOptions } from "../../invoke/options.ts";
import { openOutputFile, type OutputFile } from "../../invoke/output-file.ts";
import type { EvidenceLookup } from "../../invoke/refusal/evidence.ts";
import { readCall, describeCall, type Call } from "../../invoke/request.ts";
import { formatResponse, isHtml, summarizePage } from "../../invoke/response-document.ts";
import { findTargetUrls, parseTargets } from "../../invoke/target-url.ts";
import { waitForStatus } from "../../invoke/wait-for-status.ts";

const SLOW_RESPONSE_MS = 5000;
const WATCH_INTERVAL_MS = 2000;

/**
 * Calls the service with an ID token, once or repeatedly, and prints the responses. Then throws CliError HTTP_STATUS if the service responds
 * with 400 or above, NOT_AUTHENTICATED, NOT_AUTHORIZED or NOT_REACHABLE if Cloud Run's front end refuses.
 */
export async function invoke(context: Context, targets: readonly string[], options: InvokeOptions): Promise<void> {
  const { terminal, settings, signal, env, cwd } = context;
  const { paths } = parseTargets(targets);
  const isMany = makesSeveralCalls(options, paths);
  assertConsistent(options, paths);
  const credentials = withCache(await findCredentials(settings.get("credentials"), context), context, options);
  const request = await readCall(options, context);
  assertRepeatable(request.body, options, paths);
  const urls = await findTargetUrls(context, targets);
  const calls: Call[] = [];
  for (const url of urls) calls.push({ ...request, url, audience: credentials.audience ?? (await chooseAudience(url, options, context)) });
  const warning = loginAudienceWarning(credentials, options);
  if (warning) terminal.warn(warning);
  terminal.debug(`credential: ${credentials.description}`);
  for (const audience of new Set(calls.map((call) => call.audience))) terminal.debug(`audience: ${audience}`);
  if (context.dryRun) {
    const plans = calls.map((call) => describeCall(call, credentials));
    return terminal.printJson(plans.length > 1 ? plans : plans[0]);
  }

  const file = options.output === undefined ? undefined : await openOutputFile(resolve(cwd, options.output));
  const printer = createPrinter(context, options, isMany, file);
  const lookUpEvidence: EvidenceLookup = async (...about) =>
    (await import("../../invoke/refusal/evidence-lookup.ts")).createEvidenceLookup(context)(...about);
  const send = createAuthenticatedCall(context.send, credentials, { ...options, lookUpEvidence });
  const { waitFor: status } = options;
  let last: CallResult | undefined;

  /** Makes one call and prints the response; returns its error. */
  async function make(call: Call): Promise<CliError | undefined> {
    try {
      last = await (status === undefined ? noteIfSlow(call) : waitFor(status, call));
      await printer.print(last, call);
      return last.error;
    } catch (error) {
      // --watch continues after an error.
      if (options.watchMs === undefined || signal.aborted || !(error instanceof CliError)) throw error;
      return error;
    }
  }

  async function noteIfSlow(call: Call): Promise<CallResult> {
    const limit = options.maxTimeMs === undefined ? "60 minutes; to change this, pass --max-time" : `${options.maxTimeMs / 1000} s`;
    const note = () => terminal.note(`Still waiting for a response from ${call.url.host} (up to ${limit}).`);
    const timer = setTimeout(note, SLOW_RESPONSE_MS).unref();
    return send(call).finally(() => clearTimeout(timer));
  }

  const waitFor = (status: string, call: Call): Promise<CallResult> =>
    terminal.wait(`Waiting for ${status} from ${call.url.host} (up to 10 minutes)`, (tell) =>
      waitForStatus(status, () => send(call), { tell, signal }),
    );

  const failures: { first?: CliError; count: number; calls: number } = { count: 0, calls: 0 };
  try {
    const { repeat, watchMs } = options;
    const rounds = repeat ?? (watchMs === undefined ? 1 : Infinity);
    for (let round = 1; round <= rounds; round += 1) {
      for (const call of calls) {
        const error = await make(call);
        failures.calls += 1;
        if (!error) continue;
        failures.count += 1;
        failures.first ??= error;
        if (isMany) terminal.warn(`${call.url.href}: ${error.message}`);
      }
      if (watchMs !== undefined && round < rounds) await pause(watchMs === true ? WATCH_INTERVAL_MS : watchMs, signal);
    }
  } finally {
    await file?.discard();
    printer.end();
    if (last) setOutputs(env, `Called ${last.url.host}`, { status_code: last.response.status });
  }
  if (failures.first) throw summarizeFailures(failures.first, failures);
}

/** Prints responses as they arrive. Under `--json`, several are printed as one list at the end, or under `--watch` on one line each. */
function createPrinter({ terminal, signal, cwd }: Context, options: InvokeOptions, isMany: boolean, file: OutputFile | undefined) {
  const listed: string[] = [];

  async function format(result: CallResult, { audience }: Call): Promise<string> {
    const { response, bytes, error, elapsed, url, principal } = result;
    const { headers } = response;
    const written = file && !error ? await file.write(bytes ? Readable.from([bytes]) : response.body) : undefined;
    const body = written === undefined ? (bytes ?? (await response.bytes())) : null;
    // Google's own pages say little and fill a screen.
    const isGooglePage = body !== null && error?.reason !== undefined && isHtml(headers) && !terminal.json;
    return formatResponse(
      { ...response, bytes: isGooglePage ? Buffer.from(summarizePage(body.toString("utf8"))) : body },
      {
        ...(written !== undefined && { file: resolve(cwd, options.output ?? ""), bytes: written }),
        ...(options.include && { headers, duration_ms: Math.round(elapsed()), audience, principal }),
        ...(options.include && options.location && { url: url.href }),
      },
    );
  }

  return {
    async print(result: CallResult, call: Call): Promise<void> {
      const { bytes, response, url, elapsed } = result;
      if (options.watchMs !== undefined)
        terminal.note(`${formatTime(new Date())} ${call.method} ${url.href}: ${response.status} (${Math.round(elapsed())} ms)`);
      if (printsRawBody(options)) return bytes ? terminal.print(bytes) : terminal.printStream(response.body, signal);
      if (!file && !bytes && response.headers["content-type"]?.startsWith("text/event-stream"))
        terminal.note("The response is an event stream. It is printed when it ends; to print events as they arrive, pass --raw.");
      const text = await format(result, call);
      if (typeof terminal.format !== "string") terminal.printJson(JSON.parse(text));
      else if (!isMany || !terminal.json) terminal.print(text);
      else if (options.watchMs === undefined) listed.push(text);
      else terminal.print(`${compactJson(text)}\n`);
    },
    end(): void {
      if (listed.length > 0) terminal.print(`[\n  ${listed.map((text) => text.trimEnd().replaceAll("\n", "\n  ")).join(",\n  ")}\n]\n`);
    },
  };
}

/** Local time of day: 14:03:07. */
function formatTime(time: Date): string {
  return time.toLocaleTimeString("en-GB");
}

/** The error of a run: the first one, with the number of failed calls. */
function summarizeFailures(first: CliError, { count, calls }: { readonly count: number; readonly calls: number }): CliError {
  if (calls === 1) return first;
  return first.with({ message: `${count} of ${calls} requests failed. First error: ${first.message}`, details: { calls, failed: count } });
}

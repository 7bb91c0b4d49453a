import { resolve } from "node:path";
import { Readable } from "node:stream";
import { findCredentials } from "../../auth/find-credentials.ts";
import type { EvidenceLookup } from "../../invoke/refusal/evidence.ts";
import { withCache } from "../../auth/token-cache.ts";
import { chooseAudience, loginAudienceWarning } from "../../invoke/audience.ts";
import { createAuthenticatedCall, type CallResult } from "../../invoke/authenticated-call.ts";
import { formatResponse } from "../../invoke/response-document.ts";
import { compactJson } from "../../invoke/json-text.ts";
import { assertRepeatable, assertConsistent, makesSeveralCalls, printsRawBody, type InvokeOptions } from "../../invoke/options.ts";
import { openOutputFile, type OutputFile } from "../../invoke/output-file.ts";
import { readCall, describeCall, type Call } from "../../invoke/request.ts";
import { repeatCalls } from "../../invoke/repeat-calls.ts";
import { findTargets } from "../../invoke/target-url.ts";
import { waitForStatus } from "../../invoke/wait-for-status.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { setOutputs } from "../../context/pipeline-outputs.ts";

/**
 * Calls the service with an ID token, once or repeatedly, and prints the responses. Then throws CliError HTTP_STATUS if the service responds
 * with 400 or above, NOT_AUTHENTICATED, NOT_AUTHORIZED or NOT_REACHABLE if Cloud Run's front end refuses.
 */
export async function invoke(context: Context, targets: readonly string[], options: InvokeOptions): Promise<void> {
  const { terminal, settings, signal, env, cwd } = context;
  assertConsistent(options, targets);
  const credentials = withCache(await findCredentials(settings.get("credentials"), context), context, options);
  const request = await readCall(options, context);
  assertRepeatable(request.body, options, targets);
  const urls = await findTargets(context, targets);
  const calls: Call[] = [];
  for (const url of urls) calls.push({ ...request, url, audience: credentials.audience ?? (await chooseAudience(url, options, context)) });
  const requestedAudience = options.audience ?? options.iap;
  if (requestedAudience !== undefined && credentials.audience !== undefined && credentials.audience !== requestedAudience)
    terminal.warn(loginAudienceWarning(credentials.audience, requestedAudience));
  terminal.debug(`credential: ${credentials.description}`);
  for (const audience of new Set(calls.map((call) => call.audience))) terminal.debug(`audience: ${audience}`);
  if (context.dryRun) {
    const plans = calls.map((call) => describeCall(call, credentials));
    return terminal.printJson(plans.length > 1 ? plans : plans[0]);
  }

  const file = options.output === undefined ? undefined : await openOutputFile(resolve(cwd, options.output));
  const printer = createPrinter(context, options, { isMany: makesSeveralCalls(options, targets), file });
  const lookUpEvidence: EvidenceLookup = async (...about) =>
    (await import("../../invoke/refusal/evidence-lookup.ts")).createEvidenceLookup(context)(...about);
  const send = createAuthenticatedCall(context.send, credentials, { ...options, lookUpEvidence });
  const { waitFor: status } = options;
  let last: CallResult | undefined;

  /** Makes one call and prints the response; returns its error. */
  async function make(call: Call): Promise<CliError | undefined> {
    try {
      const title = `Waiting for ${status} from ${call.url.href}`;
      last = await (status === undefined
        ? send(call)
        : terminal.task(title, () => waitForStatus(status, () => send(call), { note: terminal.note, signal })));
      await printer.print(last, call);
      return last.error;
    } catch (error) {
      // --watch continues after an error.
      if (options.watchMs === undefined || signal.aborted || !(error instanceof CliError)) throw error;
      return error;
    }
  }

  const failures: { first?: CliError; count: number; calls: number } = { count: 0, calls: 0 };
  try {
    for await (const call of repeatCalls(calls, options, signal)) {
      const error = await make(call);
      failures.calls += 1;
      if (!error) continue;
      failures.count += 1;
      failures.first ??= error;
      if (makesSeveralCalls(options, targets)) terminal.warn(`${call.url.href}: ${error.message}`);
    }
  } finally {
    await file?.discard();
    printer.end();
    if (last) setOutputs(env, `Called ${last.url.host}`, { status_code: last.response.status });
  }
  if (failures.first) throw summarizeFailures(failures.first, failures);
}

interface Kind {
  readonly isMany: boolean;
  readonly file: OutputFile | undefined;
}

/** Prints responses as they arrive. Under `--json`, several are printed as one list at the end, or under `--watch` on one line each. */
function createPrinter({ terminal, signal, cwd }: Context, options: InvokeOptions, { isMany: isList, file }: Kind) {
  const listed: string[] = [];

  const document = async (answer: CallResult, { audience }: Call): Promise<string> => {
    const { response, bytes, error, elapsed, url, principal } = answer;
    const written = file && !error ? await file.write(bytes ? Readable.from([bytes]) : response.body) : undefined;
    const shown = written === undefined ? (bytes ?? (await response.bytes())) : null;
    const { headers } = response;
    const about = {
      headers,
      duration_ms: Math.round(elapsed()),
      audience,
      principal,
      ...(options.location && { url: url.href }),
    };
    return formatResponse(
      { ...response, bytes: shown },
      { ...(written !== undefined && { file: resolve(cwd, options.output ?? ""), bytes: written }), ...(options.include && about) },
    );
  };

  return {
    async print(answer: CallResult, call: Call): Promise<void> {
      const { bytes, response } = answer;
      if (printsRawBody(options)) return bytes ? terminal.print(bytes) : terminal.printStream(response.body, signal);
      if (!file && !bytes && response.headers["content-type"]?.startsWith("text/event-stream"))
        terminal.note("The service answers with events, which are shown when the last has come; --raw prints them as they come.");
      const text = await document(answer, call);
      if (typeof terminal.format !== "string") terminal.printJson(JSON.parse(text));
      else if (!isList || !terminal.json) terminal.print(text);
      else if (options.watchMs === undefined) listed.push(text);
      else terminal.print(`${compactJson(text)}\n`);
    },
    end(): void {
      if (listed.length > 0) terminal.print(`[\n  ${listed.map((text) => text.trimEnd().replaceAll("\n", "\n  ")).join(",\n  ")}\n]\n`);
    },
  };
}

/** The error of a run: the first one, with the number of failed calls. */
function summarizeFailures(first: CliError, { count, calls }: { readonly count: number; readonly calls: number }): CliError {
  if (calls === 1) return first;
  return first.with({ message: `${count} of ${calls} calls failed. The first: ${first.message}`, details: { calls, failed: count } });
}

import { audienceFor } from "../../auth/audience.ts";
import { findCredentials } from "../../auth/find-credentials.ts";
import { inspectToken, type TokenReport } from "../../auth/inspect/inspect-token.ts";
import { parseToken, type ParsedToken } from "../../auth/inspect/token-kind.ts";
import { publicKeysFor } from "../../auth/inspect/verify-signature.ts";
import { withCache } from "../../auth/token-cache.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";
import { CliError } from "../../errors/cli-error.ts";
import { findTargetUrls } from "../../invoke/target-url.ts";

interface InspectOptions {
  readonly audience?: string;
  readonly why?: boolean;
}

/** Longer than any token. */
const MAX_TOKEN_LENGTH = 64 * 1024;

/** Prints what a token is and what it can be used for. Throws CliError CREDENTIALS_INVALID with the first problem if it isn't valid. */
export async function inspect(context: Context, given: string | undefined, options: InspectOptions): Promise<void> {
  if (options.why) return (await import("./why.ts")).inspectWhy(context, given);
  const { send, terminal } = context;
  const isTarget = given === undefined || /^(?:[a-z][a-z0-9-]{0,48}|\/.*|https?:\/\/.*)$/.test(given);
  const { token, audiences } = isTarget ? await fetchOwnToken(context, given, options) : await readGivenToken(context, given, options);
  if (context.dryRun) return printPlan(terminal, plan(token));

  const report = await inspectToken(token, { send, audiences, now: Date.now() });
  if (terminal.json) terminal.printJson(report);
  else terminal.print([...formatReport(report)].map((line) => `${line}\n`).join(""));
  const [problem] = report.problems;
  if (!problem) return;
  const { message, hint, next } = problem;
  throw new CliError("CREDENTIALS_INVALID", message, { hint, next, details: { reasons: report.problems.map(({ code }) => code) } });
}

/** The token that the command `token` prints. */
async function fetchOwnToken(context: Context, service: string | undefined, { audience }: InspectOptions) {
  const credentials = withCache(await findCredentials(context.settings.get("credentials"), context), context);
  const expected = audience ?? audienceFor((await findTargetUrls(context, service === undefined ? [] : [service]))[0]);
  return { token: parseToken(await credentials.fetchIdToken(expected)), audiences: [expected] };
}

async function readGivenToken(context: Context, given: string, { audience }: InspectOptions) {
  const token = parseToken(given === "-" ? await readInput(context) : given);
  if (audience !== undefined) return { token, audiences: [audience] };
  // Cloud Run compares these; other tokens aren't for a service.
  return { token, audiences: token.kind === "id_token" && !token.isForwarded ? await audiencesOfService(context) : [] };
}

/** The audiences of the service in the settings; empty if none is set, or if it can't be described. */
async function audiencesOfService({ settings, cloud, terminal }: Context): Promise<readonly string[]> {
  const url = settings.get("url")?.value;
  if (url !== undefined && URL.canParse(url)) return [audienceFor(new URL(url))];
  const service = settings.get("service")?.value;
  const project = settings.get("project")?.value;
  if (service === undefined || project === undefined) return [];
  try {
    const described = await (await cloud()).describe({ service, project, region: settings.require("region") });
    return [...described.urls, ...described.custom_audiences];
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    terminal.note(`Skipped the audience check: ${error.message}`);
    return [];
  }
}

async function readInput({ stdin }: Context): Promise<string> {
  let text = "";
  for await (const chunk of stdin) {
    text += chunk.toString();
    if (text.length > MAX_TOKEN_LENGTH) break;
  }
  return text;
}

function plan(token: ParsedToken): string[] {
  const keys = publicKeysFor(token);
  if (keys && !token.isForwarded) return [`GET ${keys.url}`];
  return token.kind === "access_token" ? ["POST https://oauth2.googleapis.com/tokeninfo"] : [];
}

function* formatReport({ sentences, signature, audience, problems, ...report }: TokenReport): Generator<string> {
  const { issued_at, expires_at, clock_skew_seconds: skew } = report;
  yield* sentences;
  if (signature.verified) yield `  Signature: valid (keys from ${signature.keys})`;
  if (audience.matches) yield `  Audience: ${audience.found} (matches)`;
  else if (audience.found !== null && audience.matches === null) yield `  Audience: ${audience.found} (not compared with a service)`;
  if (issued_at) yield `  Issued: ${issued_at}`;
  if (expires_at) yield `  Expires: ${expires_at}`;
  if (skew !== null && Math.abs(skew) > 5) yield `  Clock: this computer is ${Math.abs(skew)} s ${skew > 0 ? "ahead of" : "behind"} Google`;
  for (const { message } of problems) yield `  Invalid: ${message}`;
}

import { setTimeout as sleep } from "node:timers/promises";
import { audienceFor } from "../../auth/audience.ts";
import { explainRefusal } from "../../invoke/refusal/explain-refusal.ts";
import { responseAuthor } from "../../invoke/refusal/response-author.ts";
import type { CachedCredentials } from "../../auth/token-cache.ts";
import { createAuthenticatedCall, type CallResult } from "../../invoke/authenticated-call.ts";
import { formatResponse } from "../../invoke/response-document.ts";
import { createEvidenceLookup } from "../../invoke/refusal/evidence-lookup.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";

/** Milliseconds that a grant may take: https://cloud.google.com/iam/docs/access-change-propagation says 7 minutes, "or longer". */
const PATIENCE = 10 * 60_000;
const LONGEST_PAUSE = 10_000;

/** An authorised call: its status, `invoke`'s document of it, and why it failed where it did. */
export interface Called {
  readonly status: number;
  readonly document: string;
  readonly error: CliError | undefined;
}

/** Calls a service without a credential, which Cloud Run's front end has to refuse. Throws DEPLOY_FAILED where it lets everybody in, NOT_REACHABLE. */
export async function refuse({ send }: Pick<Context, "send">, url: string): Promise<{ readonly status_code: number }> {
  const { status, headers, text } = await readAnswer(await send({ method: "GET", url, timeout: 60_000 }));
  if ((status === 403 || status === 401) && responseAuthor({ status, headers, body: text }) === "front end") return { status_code: status };
  const refused = { url: new URL(url), status, headers, body: text, sent: [], now: Date.now() };
  const reason = status === 404 ? await explainRefusal(refused) : undefined;
  if (reason) throw reason;
  throw new CliError("DEPLOY_FAILED", `The service is not private: a call without a credential reached it, and was answered ${status}.`, {
    hint: "See who may call it: cloudrun-oauth members",
    details: { status_code: status, url },
  });
}

async function readAnswer(response: Awaited<ReturnType<Context["send"]>>) {
  return { status: response.status, headers: response.headers, text: await response.text() };
}

interface CallOptions {
  readonly credentials: CachedCredentials;
  /** True where the caller has the role on the service itself, so that a refusal can only be a grant that is not known everywhere yet. */
  readonly isGranted: boolean;
}

/** Calls a URL of a service with an ID token for the service, and waits for a grant to take effect. */
export async function call(context: Context, target: string, { credentials, isGranted }: CallOptions): Promise<Called> {
  const url = new URL(target);
  const once = (waitFor?: string) => {
    const caller = createAuthenticatedCall(context.send, credentials, {
      waitFor,
      retries: 3,
      lookUpEvidence: createEvidenceLookup(context),
    });
    const audience = credentials.audience ?? audienceFor(url);
    return caller({
      method: "GET",
      url,
      audience,
      headers: [["User-Agent", "cloudrun-oauth"]],
      tokenHeader: "Authorization",
      body: undefined,
    });
  };
  const end = performance.now() + PATIENCE;
  let answer = await once();
  for (let pause = 500; isGranted && isLocked(answer) && performance.now() < end; pause = Math.min(pause * 1.5, LONGEST_PAUSE)) {
    if (pause === 500) context.terminal.note("Not let in yet: a grant takes effect within minutes. Waiting for it.");
    await sleep(pause, undefined, { signal: context.signal }).catch(() => context.signal.throwIfAborted());
    answer = await once("2xx");
  }
  // What a refusal means is told only where nobody waits any more.
  if (isLocked(answer) && isGranted) answer = await once();
  const { response, bytes, error } = answer;
  return { status: response.status, document: formatResponse({ ...response, bytes: bytes ?? (await response.bytes()) }), error };
}

function isLocked({ error }: CallResult): boolean {
  return error?.code === "NOT_AUTHENTICATED" || error?.code === "NOT_AUTHORIZED";
}

import { audienceFor } from "../../auth/audience.ts";
import type { CachedCredentials } from "../../auth/token-cache.ts";
import { GRANT_TIMEOUT_MS } from "../../cloud/permissions.ts";
import type { Context } from "../../context/context.ts";
import type { Service } from "../../cloud/service.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { poll } from "../../http/poll.ts";
import { createAuthenticatedCall, type CallResult } from "../../invoke/authenticated-call.ts";
import { explainRefusal } from "../../invoke/refusal/explain-refusal.ts";
import { responseAuthor } from "../../invoke/refusal/response-author.ts";
import { createEvidenceLookup } from "../../invoke/refusal/evidence-lookup.ts";
import { formatResponse } from "../../invoke/response-document.ts";
import type { Tell } from "../../terminal/progress.ts";

/** An authenticated call: its status, `invoke`'s document about it, and why it failed if it did. */
export interface Invocation {
  readonly status: number;
  readonly document: string;
  readonly error: CliError | undefined;
}

/** Calls a service without a credential. Throws DEPLOY_FAILED if the call reaches it, and NOT_REACHABLE if the front end blocks every call. */
export async function verifyRefusal({ send }: Pick<Context, "send">, { service, url }: Service): Promise<{ readonly status_code: number }> {
  const response = await send({ method: "GET", url, timeoutMs: 60_000 });
  const { status, headers } = response;
  const body = await response.text();
  if ((status === 403 || status === 401) && responseAuthor({ status, headers, body }) === "front end") return { status_code: status };
  const refusal = status === 404 && (await explainRefusal({ url: new URL(url), status, headers, body, sent: [], now: Date.now() }));
  if (refusal) throw refusal;
  throw new CliError("DEPLOY_FAILED", `Service "${service}" isn't private: an unauthenticated request returned ${status}.`, {
    next: [nextStep("To list who can invoke it", "members", service)],
    details: { status_code: status, url },
  });
}

interface Caller {
  readonly credentials: CachedCredentials;
  /** True if the caller has the role on the service itself, so that a refusal can only mean that the grant hasn't reached every front end yet. */
  readonly isGranted: boolean;
  readonly tell: Tell;
}

/** Calls a URL of a service with an ID token for the service, and waits for a grant to take effect. */
export async function verifyInvocation(context: Context, target: string, { credentials, isGranted, tell }: Caller): Promise<Invocation> {
  const { send, signal } = context;
  const url = new URL(target);
  const audience = credentials.audience ?? audienceFor(url);
  const invoke = (waitFor?: string) => {
    const call = createAuthenticatedCall(send, credentials, { waitFor, retries: 3, lookUpEvidence: createEvidenceLookup(context) });
    return call({
      method: "GET",
      url,
      audience,
      headers: [["User-Agent", "cloudrun-oauth"]],
      tokenHeader: "Authorization",
      body: undefined,
    });
  };
  const invokeUntilAccepted = async () => {
    const answer = await invoke();
    if (!isRefused(answer)) return answer;
    tell("waiting for the IAM change to take effect (up to 10 minutes)");
    // With a status to wait for, refusals aren't explained.
    const invokeAgain = () => invoke("2xx").then((next) => (isRefused(next) ? undefined : next));
    return poll(invokeAgain, { signal, firstPauseMs: 500, maxPauseMs: 10_000, timeoutMs: GRANT_TIMEOUT_MS });
  };
  const { response, bytes, error } = (isGranted ? await invokeUntilAccepted() : undefined) ?? (await invoke());
  return { status: response.status, document: formatResponse({ ...response, bytes: bytes ?? (await response.bytes()) }), error };
}

function isRefused({ error }: CallResult): boolean {
  return error?.code === "NOT_AUTHENTICATED" || error?.code === "NOT_AUTHORIZED";
}

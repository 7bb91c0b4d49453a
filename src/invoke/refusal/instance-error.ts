import type { CliError } from "../../errors/cli-error.ts";
import type { Reason } from "../../errors/reasons.ts";
import { nameOf, refusal, whereOf, type Evidence, type RefusedCall } from "./refusal-error.ts";

interface Silence {
  readonly reason: Reason;
  readonly sentence: string;
  readonly remedy: string;
}

const FULL: Silence = {
  reason: "NO_INSTANCE",
  sentence: "had no instance free for the call",
  remedy: "Try again in a moment, or allow more instances: gcloud run services update WHERE --max-instances N",
};

/** By the answer's status: https://cloud.google.com/run/docs/troubleshooting */
const SILENCES: Readonly<Record<number, Silence>> = {
  429: FULL,
  500: {
    reason: "INSTANCE_NOT_STARTED",
    sentence: "could not start an instance",
    remedy: "What it printed: gcloud run services logs read WHERE",
  },
  503: {
    reason: "ANSWER_MALFORMED",
    sentence: "broke the connection off, or its answer was no HTTP",
    remedy: "What it printed: gcloud run services logs read WHERE",
  },
  504: {
    reason: "REQUEST_TIMED_OUT",
    sentence: "did not answer within its request timeout",
    remedy: "Give it longer, up to an hour: gcloud run services update WHERE --timeout 15m",
  },
};

/** What Cloud Run answers for a service that gave no answer itself; the exit code is that of the service's own errors. */
export function explainStandIn(call: RefusedCall, evidence: Evidence = {}): CliError | undefined {
  const isFull = call.body.includes("no available instance");
  const silence = isFull ? FULL : SILENCES[call.status];
  if (!silence) return undefined;
  const { reason, sentence, remedy } = silence;
  const name = nameOf(call, evidence);
  return refusal(reason, call, `Cloud Run answered ${call.status} itself: ${name} ${sentence}.`, {
    hint: remedy.replace("WHERE", whereOf(call, evidence)),
  });
}

import type { CliError } from "../../errors/cli-error.ts";
import type { Reason } from "../../errors/reasons.ts";
import type { Evidence } from "./evidence.ts";
import { describeService, refusalError, gcloudServiceFlags, type RejectedRequest } from "./refusal-error.ts";

interface InstanceError {
  readonly reason: Reason;
  readonly sentence: string;
  readonly remedy: string;
}

const NO_INSTANCE: InstanceError = {
  reason: "NO_INSTANCE",
  sentence: "had no instance free for the call",
  remedy: "Try again in a moment, or allow more instances: gcloud run services update WHERE --max-instances N",
};

/** By status code: https://cloud.google.com/run/docs/troubleshooting */
const INSTANCE_ERRORS: Readonly<Record<number, InstanceError>> = {
  429: NO_INSTANCE,
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

/** Explains a response that Cloud Run sends because an instance didn't respond. The exit code is that of the service's own errors. */
export function explainInstanceError(request: RejectedRequest, evidence: Evidence = {}): CliError | undefined {
  const isFull = request.body.includes("no available instance");
  const instanceError = isFull ? NO_INSTANCE : INSTANCE_ERRORS[request.status];
  if (!instanceError) return undefined;
  const { reason, sentence, remedy } = instanceError;
  const name = describeService(request, evidence);
  return refusalError(reason, request, `Cloud Run answered ${request.status} itself: ${name} ${sentence}.`, {
    hint: remedy.replace("WHERE", gcloudServiceFlags(request, evidence)),
  });
}

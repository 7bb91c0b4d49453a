import type { CliError } from "../../errors/cli-error.ts";
import { externalStep, nextStep } from "../../errors/next-step.ts";
import type { Reason } from "../../errors/reasons.ts";
import { describeService, gcloudArguments, refusalError, serviceArguments, type RejectedRequest } from "./refusal-error.ts";

/** By status code: https://cloud.google.com/run/docs/troubleshooting */
const INSTANCE_ERRORS: Readonly<Record<number, readonly [Reason, fault: string]>> = {
  429: ["NO_INSTANCE", "had no instance available"],
  500: ["INSTANCE_NOT_STARTED", "couldn't start an instance"],
  503: ["ANSWER_MALFORMED", "closed the connection or sent an invalid HTTP response"],
  504: ["REQUEST_TIMED_OUT", "didn't respond within its request timeout"],
};

/** Explains a response that Cloud Run sends because an instance didn't respond. The exit code is that of the service's own errors. */
export function explainInstanceError(request: RejectedRequest): CliError | undefined {
  const { status, body } = request;
  const [reason, fault] = INSTANCE_ERRORS[body.includes("no available instance") ? 429 : status] ?? [];
  if (!reason) return undefined;
  const update = (text: string, ...flags: readonly string[]) =>
    externalStep(text, "gcloud", "run", "services", "update", ...gcloudArguments(request), ...flags);
  const next =
    reason === "NO_INSTANCE"
      ? update("To allow more instances", "--max-instances", "NUMBER")
      : reason === "REQUEST_TIMED_OUT"
        ? update("To increase the timeout (up to an hour)", "--timeout", "15m")
        : nextStep("To see its logs", "logs", ...serviceArguments(request));
  return refusalError(reason, request, `Cloud Run returned ${status}: ${describeService(request)} ${fault}.`, { next: [next] });
}

import type { Principal } from "../iam/principal.ts";
import { authorize } from "../iam/policy.ts";
import { checkInvokerRequired } from "../organization/org-policies.ts";
import { isAnnotationTrue, type KnativeService } from "./knative.ts";
import type { State } from "../state/state.ts";
import { resourceName, type Place } from "./names.ts";

/** Whether a service skips the invoker check: `--no-invoker-iam-check`. */
export function isInvokerCheckOff(service: Pick<KnativeService, "metadata">): boolean {
  return isAnnotationTrue(service, "run.googleapis.com/invoker-iam-disabled");
}

/**
 * Checks that the principal can turn the invoker check off or on, which decides who can call:
 * https://cloud.google.com/run/docs/authenticating/public#required-roles. Throws ApiError PERMISSION_DENIED, and FAILED_PRECONDITION if the
 * organization requires the check.
 */
export function authorizeInvokerCheckChange(
  state: State,
  next: KnativeService,
  current: KnativeService | undefined,
  { place, principal }: { readonly place: Place; readonly principal: Principal },
): void {
  if (isInvokerCheckOff(next) === (current !== undefined && isInvokerCheckOff(current))) return;
  const resource = resourceName(place, next.metadata.name);
  authorize(state, principal, "run.services.setIamPolicy", resource);
  if (isInvokerCheckOff(next)) checkInvokerRequired(state, place.project.projectId, resource);
}

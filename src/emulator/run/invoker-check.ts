import type { Principal } from "../iam/principal.ts";
import { authorize } from "../iam/policy.ts";
import { checkInvokerRequired } from "../organization/org-policies.ts";
import type { KnativeService } from "./knative.ts";
import type { State } from "../state/state.ts";
import { isOn } from "./annotations.ts";
import { resourceName, type Place } from "./naming.ts";

/** Whether a service asks nobody who he is: `--no-invoker-iam-check`. */
export function isInvokerCheckOff(service: Pick<KnativeService, "metadata">): boolean {
  return isOn(service, "run.googleapis.com/invoker-iam-disabled");
}

/**
 * Switching the check off or on says who may call, so who does it must be allowed to: https://cloud.google.com/run/docs/authenticating/public#required-roles
 * Throws ApiError PERMISSION_DENIED, FAILED_PRECONDITION where the organisation wants it on.
 */
export function checkInvokerSwitch(
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

import type { Identity } from "../iam/principal.ts";
import { isAllowed } from "../iam/policy.ts";
import { isInvokerCheckOff } from "../run/invoker-check.ts";
import { resourceName } from "../run/names.ts";
import type { ServiceRoute } from "../run/resolve-host.ts";
import type { State } from "../state/state.ts";

/**
 * Whether a caller can invoke a service: by the policy of the service or its project, or because the check is disabled
 * (`--no-invoker-iam-check`). Without a principal it says whether the service is public: credentials are then not checked, and reach the
 * service unchanged. https://cloud.google.com/run/docs/securing/managing-access#invoker_check
 */
export function canInvoke(state: State, { service, place }: Pick<ServiceRoute, "service" | "place">, principal?: Identity): boolean {
  if (isInvokerCheckOff(service)) return true;
  return isAllowed(state, principal, "run.routes.invoke", resourceName(place, service.metadata.name));
}

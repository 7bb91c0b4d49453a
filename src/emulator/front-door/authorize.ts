import type { Identity } from "../iam/principal.ts";
import { isAllowed } from "../iam/policy.ts";
import { isInvokerCheckOff } from "../run/invoker-check.ts";
import { resourceName } from "../run/naming.ts";
import type { ServiceRoute } from "../run/route.ts";
import type { State } from "../state/state.ts";

/**
 * Whether a caller may invoke a service, by the service's policy or its project's, or because nobody is asked who he is (`--no-invoker-iam-check`).
 * Without a principal it tells whether the service is public: then credentials, good or bad, are not looked at, and reach the service as they came.
 * https://cloud.google.com/run/docs/securing/managing-access#invoker_check
 */
export function mayInvoke(state: State, { service, place }: Pick<ServiceRoute, "service" | "place">, principal?: Identity): boolean {
  if (isInvokerCheckOff(service)) return true;
  return isAllowed(state, principal, "run.routes.invoke", resourceName(place, service.metadata.name));
}

import { param, principalOf, type Call } from "../server/call.ts";
import { readPolicy, setPolicy, testPermissions } from "../iam/policy.ts";
import type { Route } from "../server/router.ts";
import type { State } from "../state/state.ts";
import { resourceName } from "./naming.ts";
import { placeOf } from "./place.ts";
import { getService } from "./services.ts";

/** The policy of a service, which all versions of the API have alike. */
export function createPolicyRoutes(state: State) {
  const on = (call: Call) => resourceName(placeOf(state, call), param(call, "service"));
  const existing = (call: Call) => {
    getService(state, placeOf(state, call), param(call, "service"));
    return on(call);
  };
  return {
    getIamPolicy: { permission: "run.services.getIamPolicy", resource: on, handle: (call) => readPolicy(state, existing(call), call) },
    setIamPolicy: {
      permission: "run.services.setIamPolicy",
      resource: on,
      handle: async (call) => setPolicy(state, existing(call), (await call.body.json())["policy"]),
    },
    // gcloud asks this of services that it is about to create.
    testIamPermissions: {
      handle: async (call) => ({
        permissions: testPermissions(state, principalOf(call), (await call.body.json())["permissions"], on(call)),
      }),
    },
  } satisfies Record<string, Route>;
}

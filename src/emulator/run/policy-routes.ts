import { pathParameter, requirePrincipal, type ApiRequest } from "../server/api-request.ts";
import { readPolicy, setPolicy, testPermissions } from "../iam/policy.ts";
import type { Route } from "../server/router.ts";
import type { State } from "../state/state.ts";
import { resourceName } from "./naming.ts";
import { placeOf } from "./place.ts";
import { getService } from "./services.ts";

/** The policy of a service, which all versions of the API have alike. */
export function createPolicyRoutes(state: State) {
  const on = (request: ApiRequest) => resourceName(placeOf(state, request), pathParameter(request, "service"));
  const existing = (request: ApiRequest) => {
    getService(state, placeOf(state, request), pathParameter(request, "service"));
    return on(request);
  };
  return {
    getIamPolicy: {
      permission: "run.services.getIamPolicy",
      resource: on,
      handle: (request) => readPolicy(state, existing(request), request),
    },
    setIamPolicy: {
      permission: "run.services.setIamPolicy",
      resource: on,
      handle: async (request) => setPolicy(state, existing(request), (await request.body.json())["policy"]),
    },
    // gcloud asks this of services that it is about to create.
    testIamPermissions: {
      handle: async (request) => ({
        permissions: testPermissions(state, requirePrincipal(request), (await request.body.json())["permissions"], on(request)),
      }),
    },
  } satisfies Record<string, Route>;
}

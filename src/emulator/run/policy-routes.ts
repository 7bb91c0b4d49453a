import { pathParameter, requirePrincipal, type ApiRequest } from "../server/api-request.ts";
import { readPolicy, setPolicy, testPermissions } from "../iam/policy.ts";
import type { Route } from "../server/router.ts";
import type { State } from "../state/state.ts";
import { resourceName } from "./names.ts";
import { placeOf } from "./request-place.ts";
import { getService } from "./services.ts";

/** Routes for a service's policy, which are the same in all versions of the API. */
export function createPolicyRoutes(state: State) {
  const policyResource = (request: ApiRequest) => resourceName(placeOf(state, request), pathParameter(request, "service"));
  const existingResource = (request: ApiRequest) => {
    getService(state, placeOf(state, request), pathParameter(request, "service"));
    return policyResource(request);
  };
  return {
    getIamPolicy: {
      permission: "run.services.getIamPolicy",
      resource: policyResource,
      handle: (request) => readPolicy(state, existingResource(request), request),
    },
    setIamPolicy: {
      permission: "run.services.setIamPolicy",
      resource: policyResource,
      handle: async (request) => setPolicy(state, existingResource(request), (await request.body.json())["policy"]),
    },
    // gcloud calls this for services that it is about to create.
    testIamPermissions: {
      handle: async (request) => ({
        permissions: testPermissions(state, requirePrincipal(request), (await request.body.json())["permissions"], policyResource(request)),
      }),
    },
  } satisfies Record<string, Route>;
}

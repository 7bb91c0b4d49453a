import { requirePrincipal, type ApiRequest } from "../server/api-request.ts";
import { route, type Route } from "../server/router.ts";
import type { State } from "../state/state.ts";
import { readPolicy, setPolicy, testPermissions } from "./policy.ts";

interface PolicyRoutes {
  readonly getIamPolicy: Route;
  readonly setIamPolicy: Route;
  readonly testIamPermissions: Route;
}

/**
 * The policy methods of a kind of resource (`run.services`). `resource` gives a resource's full name, which needn't exist: gcloud tests
 * permissions on services that it is about to create. `check` throws if the resource doesn't exist.
 */
export function policyRoutes(
  state: State,
  kind: string,
  resource: (request: ApiRequest) => string,
  check: (request: ApiRequest) => void,
): PolicyRoutes {
  return {
    getIamPolicy: route(
      `${kind}.getIamPolicy`,
      (request) => {
        check(request);
        return readPolicy(state, resource(request), request);
      },
      resource,
    ),
    setIamPolicy: route(
      `${kind}.setIamPolicy`,
      async (request) => {
        check(request);
        return setPolicy(state, resource(request), (await request.body.json())["policy"]);
      },
      resource,
    ),
    testIamPermissions: {
      handle: async (request) => ({
        permissions: testPermissions(state, requirePrincipal(request), (await request.body.json())["permissions"], resource(request)),
      }),
    },
  };
}

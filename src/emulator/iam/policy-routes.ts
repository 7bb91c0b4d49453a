import { requirePrincipal, type ApiRequest } from "../server/api-request.ts";
import { route, type Handler, type Route } from "../server/router.ts";
import type { State } from "../state/state.ts";
import { readPolicy, setPolicy, testPermissions } from "./policy.ts";

/**
 * The policy methods of a kind of resource (`run.services`). `resource` gives a resource's full name, which needn't exist: gcloud tests
 * permissions on services that it is about to create. `check` throws if the resource doesn't exist.
 */
export function policyRoutes(
  state: State,
  kind: string,
  resource: (request: ApiRequest) => string,
  check: (request: ApiRequest) => void,
): Readonly<Record<"getIamPolicy" | "setIamPolicy" | "testIamPermissions", Route>> {
  const policyRoute = (method: string, handle: Handler): Route =>
    route(
      `${kind}.${method}`,
      (request) => {
        check(request);
        return handle(request);
      },
      resource,
    );
  return {
    getIamPolicy: policyRoute("getIamPolicy", (request) => readPolicy(state, resource(request), request)),
    setIamPolicy: policyRoute("setIamPolicy", async (request) =>
      setPolicy(state, resource(request), (await request.body.json())["policy"]),
    ),
    testIamPermissions: {
      handle: async (request) => ({
        permissions: testPermissions(state, requirePrincipal(request), (await request.body.json())["permissions"], resource(request)),
      }),
    },
  };
}

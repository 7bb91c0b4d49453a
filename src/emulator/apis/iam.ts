import type { Api, Route } from "../server/router.ts";
import type { TokenRuntime } from "../runtime.ts";
import { accountRoutes } from "../iam/account-routes.ts";
import { keyRoutes } from "../iam/key-routes.ts";
import { poolRoutes } from "../iam/pool-routes.ts";
import { providerRoutes } from "../iam/provider-routes.ts";
import { ROLES } from "../iam/roles.ts";
import { ApiError } from "../server/errors.ts";

/** https://cloud.google.com/iam/docs/reference/rest */
export function createIamApi(runtime: TokenRuntime): Api {
  return {
    hosts: ["iam.googleapis.com"],
    routes: { ...accountRoutes(runtime), ...keyRoutes(runtime), ...poolRoutes(runtime), ...providerRoutes(runtime), ...roleRoutes },
  };
}

/** https://cloud.google.com/iam/docs/reference/rest/v1/roles; any authenticated caller can read Google's predefined roles. */
const roleRoutes: Record<string, Route> = {
  "GET /v1/roles": {
    handle: ({ query }) => ({ roles: Object.keys(ROLES).map((name) => describeRole(name, query.get("view") === "FULL")) }),
  },
  "GET /v1/roles/{role}": {
    handle: (request) => {
      const name = `roles/${request.param("role")}`;
      if (!Object.hasOwn(ROLES, name)) throw new ApiError("NOT_FOUND", `The role named ${name} was not found.`);
      return describeRole(name, true);
    },
  },
};

// Unlike Cloud Run: permissions that a role has as a whole family are shown as one pattern (`run.services.*`).
function describeRole(name: string, full: boolean): object {
  const { title, permissions } = ROLES[name] ?? { title: name, permissions: [] };
  return { name, title, stage: "GA", etag: "AA==", ...(full && { includedPermissions: permissions }) };
}

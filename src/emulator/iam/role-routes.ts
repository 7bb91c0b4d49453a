import { ApiError } from "../server/errors.ts";
import type { Route } from "../server/router.ts";
import { ROLES } from "./roles.ts";

/** https://cloud.google.com/iam/docs/reference/rest/v1/roles; any authenticated caller can read Google's predefined roles. */
export const roleRoutes: Record<string, Route> = {
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

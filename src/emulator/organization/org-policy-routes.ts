import * as v from "valibot";
import { checkEtag, createEtag } from "../state/etag.ts";
import type { ApiRequest } from "../server/api-request.ts";
import { invalidArgument } from "../server/errors.ts";
import type { OrgPolicy, Project } from "../state/resources.ts";
import type { Route } from "../server/router.ts";
import type { Runtime } from "../runtime.ts";
import { findOrgPolicy } from "./org-policies.ts";

const Constraint = v.pipe(v.string(), v.regex(/^constraints\/[\w.]+$/, "must start with constraints/"));
const StringList = v.optional(v.array(v.string()));

const Policy = v.pipe(
  v.strictObject({
    constraint: Constraint,
    version: v.optional(v.number()),
    etag: v.optional(v.string()),
    updateTime: v.optional(v.string()),
    booleanPolicy: v.optional(v.strictObject({ enforced: v.optional(v.boolean(), false) })),
    listPolicy: v.optional(
      v.strictObject({
        allowedValues: StringList,
        deniedValues: StringList,
        allValues: v.optional(v.picklist(["ALLOW", "DENY", "ALL_VALUES_UNSPECIFIED"])),
        inheritFromParent: v.optional(v.boolean()),
        suggestedValue: v.optional(v.string()),
      }),
    ),
    restoreDefault: v.optional(v.strictObject({})),
  }),
  v.check(
    ({ booleanPolicy, listPolicy, restoreDefault }) => [booleanPolicy, listPolicy, restoreDefault].filter(Boolean).length === 1,
    "must have exactly one of booleanPolicy, listPolicy, and restoreDefault",
  ),
);

// Unlike Cloud Run: projects have no organization, so a project's owner sets its policies, including managed constraints.
/**
 * https://cloud.google.com/resource-manager/reference/rest/v1/projects/setOrgPolicy; `allowed` returns the project if the caller has the
 * permission.
 */
export function orgPolicyRoutes(
  { state, now }: Pick<Runtime, "state" | "now">,
  allowed: (request: ApiRequest, permission: string) => Project,
): Record<string, Route> {
  const readRoute = (handle: (projectId: string, constraint: string) => object): Route => ({
    handle: async (request) => {
      const { projectId } = allowed(request, "orgpolicy.policy.get");
      return handle(projectId, parse(Constraint, (await request.body.json())["constraint"], "constraint"));
    },
  });
  const storePolicy = (projectId: string, { constraint, etag }: Pick<OrgPolicy, "constraint" | "etag">, policy?: OrgPolicy): void => {
    const current = findOrgPolicy(state, projectId, constraint);
    if (etag && current) checkEtag(etag, current.etag);
    if (policy) state.orgPolicies.set(`${projectId}/${constraint}`, policy);
    else if (current) state.orgPolicies.delete(`${projectId}/${constraint}`);
  };

  return {
    "POST /v1/projects/{project}:setOrgPolicy": {
      handle: async (request) => {
        const { projectId } = allowed(request, "orgpolicy.policy.set");
        const wanted = parse(Policy, (await request.body.json())["policy"], "policy");
        const policy = { ...wanted, etag: createEtag(), updateTime: new Date(now()).toISOString() } as OrgPolicy;
        storePolicy(projectId, { constraint: wanted.constraint, etag: wanted.etag ?? "" }, policy);
        return policy;
      },
    },
    "POST /v1/projects/{project}:clearOrgPolicy": {
      handle: async (request) => {
        const { projectId } = allowed(request, "orgpolicy.policy.set");
        const { constraint, etag } = await request.body.json();
        storePolicy(projectId, { constraint: parse(Constraint, constraint, "constraint"), etag: typeof etag === "string" ? etag : "" });
        return {};
      },
    },
    "POST /v1/projects/{project}:getOrgPolicy": readRoute(
      (projectId, constraint) => findOrgPolicy(state, projectId, constraint) ?? { constraint, etag: UNSET_ETAG },
    ),
    "POST /v1/projects/{project}:getEffectiveOrgPolicy": readRoute((projectId, constraint) => {
      const policy = findOrgPolicy(state, projectId, constraint);
      const rule = policy?.restoreDefault ? undefined : (policy?.booleanPolicy ?? policy?.listPolicy);
      if (!rule)
        return { constraint, ...(LIST_CONSTRAINTS.has(constraint) ? { listPolicy: { allValues: "ALLOW" } } : { booleanPolicy: {} }) };
      return { constraint, ...(policy?.booleanPolicy ? { booleanPolicy: rule } : { listPolicy: rule }) };
    }),
    "POST /v1/projects/{project}:listOrgPolicies": {
      handle: (request) => {
        const { projectId } = allowed(request, "orgpolicy.policy.get");
        return { policies: state.orgPolicies.list(`${projectId}/`) };
      },
    },
  };
}

/** Google's etag for a policy that was never set. */
const UNSET_ETAG = "BwAAAAAAAAA=";
/** Constraints with lists of values; all others are boolean. */
const LIST_CONSTRAINTS: ReadonlySet<string> = new Set([
  "constraints/iam.allowedPolicyMemberDomains",
  "constraints/run.allowedIngress",
  "constraints/gcp.resourceLocations",
]);

function parse<T>(schema: v.GenericSchema<unknown, T>, value: unknown, field: string): T {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  throw invalidArgument(`Invalid value at '${[field, path].filter(Boolean).join(".")}': ${issue.message}.`);
}

import { listPage } from "../apis/pagination.ts";
import type { ApiRequest } from "../server/api-request.ts";
import { ApiError } from "../server/errors.ts";
import type { ServiceAccount } from "../state/resources.ts";
import type { Route } from "../server/router.ts";
import type { Runtime } from "../runtime.ts";
import type { State } from "../state/state.ts";
import { policyRoutes } from "./policy-routes.ts";
import { canonicalName } from "./resource-names.ts";
import { createServiceAccount, deleteServiceAccount, findServiceAccount } from "./service-accounts.ts";

const MAX_PAGE_SIZE = 100;

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts */
export function accountRoutes({ state, signingKeys }: Pick<Runtime, "state" | "signingKeys">): Record<string, Route> {
  const accountRoute = (verb: string, handle: (account: ServiceAccount, request: ApiRequest) => unknown): Route => ({
    permission: `iam.serviceAccounts.${verb}`,
    resource: (request) => accountResource(state, request),
    handle: (request) => handle(requireAccount(state, request), request),
  });
  const setDisabled = (disabled: boolean) => (account: ServiceAccount) => {
    state.serviceAccounts.set(account.email, { ...account, disabled });
    return {};
  };
  const policies = policyRoutes(
    state,
    "iam.serviceAccounts",
    (request) => accountResource(state, request),
    (request) => void requireAccount(state, request),
  );

  return {
    "POST /v1/projects/{project}/serviceAccounts": {
      permission: "iam.serviceAccounts.create",
      handle: (request) => create(state, request),
    },
    "GET /v1/projects/{project}/serviceAccounts": { permission: "iam.serviceAccounts.list", handle: (request) => list(state, request) },
    "GET /v1/projects/{project}/serviceAccounts/{account}": accountRoute("get", describeAccount),
    "PATCH /v1/projects/{project}/serviceAccounts/{account}": accountRoute("update", async (account, { body }) => {
      const { serviceAccount, updateMask } = await body.json();
      return update(state, account, serviceAccount, typeof updateMask === "string" ? updateMask.split(",") : []);
    }),
    "PUT /v1/projects/{project}/serviceAccounts/{account}": accountRoute("update", async (account, { body }) =>
      update(state, account, await body.json(), ["displayName", "description"]),
    ),
    "DELETE /v1/projects/{project}/serviceAccounts/{account}": accountRoute("delete", (account) => {
      deleteServiceAccount(state, account);
      signingKeys.removeAccountKey(account.uniqueId);
      return {};
    }),
    "POST /v1/projects/{project}/serviceAccounts/{account}:disable": accountRoute("disable", setDisabled(true)),
    "POST /v1/projects/{project}/serviceAccounts/{account}:enable": accountRoute("enable", setDisabled(false)),
    "POST /v1/projects/{project}/serviceAccounts/{account}:getIamPolicy": policies.getIamPolicy,
    "POST /v1/projects/{project}/serviceAccounts/{account}:setIamPolicy": policies.setIamPolicy,
    "POST /v1/projects/{project}/serviceAccounts/{account}:testIamPermissions": {
      handle: (request) => {
        requireAccount(state, request);
        return policies.testIamPermissions.handle(request);
      },
    },
  };
}

/** The account that a path names, by email address or unique id. Throws ApiError NOT_FOUND. */
export function requireAccount(state: State, request: ApiRequest): ServiceAccount {
  const account = findServiceAccount(state, request.param("project"), request.param("account"));
  if (!account) throw new ApiError("NOT_FOUND", "Unknown service account");
  return account;
}

/** The resource that a permission on an account is checked on; for an account that doesn't exist, the project that it would be in. */
export function accountResource(state: State, request: ApiRequest): string {
  const account = findServiceAccount(state, request.param("project"), request.param("account"));
  if (account) return resourceOf(account);
  const project =
    request.param("project") === "-" ? /@(.+)\.iam\.gserviceaccount\.com$/.exec(request.param("account"))?.[1] : request.param("project");
  return `projects/${project ?? "-"}`;
}

function resourceOf({ projectId, email }: ServiceAccount): string {
  return `projects/${projectId}/serviceAccounts/${email}`;
}

async function create(state: State, request: ApiRequest): Promise<object> {
  const { accountId, serviceAccount } = await request.body.json();
  const projectId = canonicalName(state, `projects/${request.param("project")}`).slice("projects/".length);
  const texts = parseTexts(serviceAccount ?? {});
  return describeAccount(createServiceAccount(state, { projectId, accountId: typeof accountId === "string" ? accountId : "", ...texts }));
}

function list(state: State, request: ApiRequest): object {
  const project = canonicalName(state, `projects/${request.param("project")}`);
  const accounts = state.serviceAccounts.list().filter(({ projectId }) => `projects/${projectId}` === project);
  return listPage(request.query, "accounts", accounts.map(describeAccount), MAX_PAGE_SIZE);
}

function update(state: State, account: ServiceAccount, texts: unknown, fields: readonly string[]): object {
  const changes = Object.entries(parseTexts(texts)).filter(([name]) => fields.includes(name));
  const next: ServiceAccount = { ...account, ...Object.fromEntries(changes) };
  state.serviceAccounts.set(account.email, next);
  return describeAccount(next);
}

function parseTexts(fields: unknown): { displayName?: string; description?: string } {
  const { displayName, description } = (typeof fields === "object" && fields !== null ? fields : {}) as Record<string, unknown>;
  return { ...(typeof displayName === "string" && { displayName }), ...(typeof description === "string" && { description }) };
}

function describeAccount({ email, projectId, uniqueId, ...rest }: ServiceAccount): object {
  const etag = Buffer.from("0102192").toString("base64");
  return { name: `projects/${projectId}/serviceAccounts/${email}`, projectId, uniqueId, email, ...rest, etag, oauth2ClientId: uniqueId };
}

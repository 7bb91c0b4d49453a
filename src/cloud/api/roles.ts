import type { Policy } from "../cloud.ts";
import type { ApiClient, ApiRequest } from "./client.ts";
import { changeMembers, readPolicy, withMember, POLICY_VERSION } from "./policy.ts";

interface RoleGrant {
  readonly project: string;
  readonly account?: string;
  readonly member: string;
  readonly role: string;
}

export function planRole(grant: RoleGrant): ApiRequest[] {
  const { role, member } = grant;
  return [policyRequest(grant), setPolicyRequest(grant, { bindings: [{ role, members: [member] }], etag: "ETAG" })];
}

export async function addRole(client: ApiClient, grant: RoleGrant, signal: AbortSignal): Promise<void> {
  await changeMembers(client, {
    role: grant.role,
    read: async () => readPolicy(await client.call(policyRequest(grant))),
    write: (policy) => setPolicyRequest(grant, policy),
    change: withMember(grant.member),
    signal,
  });
}

function policyRequest({ project, account }: RoleGrant): ApiRequest {
  const url = resourceUrl({ project, account });
  return account === undefined
    ? { method: "POST", url: `${url}:getIamPolicy`, body: { options: { requestedPolicyVersion: POLICY_VERSION } } }
    : { method: "POST", url: `${url}:getIamPolicy?options.requestedPolicyVersion=${POLICY_VERSION}` };
}

function setPolicyRequest(grant: RoleGrant, policy: Policy): ApiRequest {
  return { method: "POST", url: `${resourceUrl(grant)}:setIamPolicy`, body: { policy: { version: POLICY_VERSION, ...policy } } };
}

function resourceUrl({ project, account }: Pick<RoleGrant, "project" | "account">): string {
  return account === undefined
    ? `https://cloudresourcemanager.googleapis.com/v1/projects/${project}`
    : `https://iam.googleapis.com/v1/projects/${project}/serviceAccounts/${account}`;
}

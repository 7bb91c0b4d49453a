import type { ApiClient, ApiRequest } from "../../../cloud/api/client.ts";
import type { SeedBinding } from "./seed-file.ts";

interface Policy {
  readonly bindings?: readonly SeedBinding[];
  readonly etag?: string;
}

/** The resource that has a policy, by its URL. The policy of a service is read with GET, all others with POST. */
export interface PolicyOwner {
  readonly url: string;
  readonly method: "GET" | "POST";
}

export async function readPolicy(client: ApiClient, { url, method }: PolicyOwner): Promise<Policy> {
  const request: ApiRequest =
    method === "GET"
      ? { method, url: `${url}:getIamPolicy?options.requestedPolicyVersion=3` }
      : { method, url: `${url}:getIamPolicy`, body: { options: { requestedPolicyVersion: 3 } } };
  return client.call<Policy>(request);
}

/** Adds bindings to a policy, and keeps all others; true if one was added. */
export async function addBindings(client: ApiClient, owner: PolicyOwner, wanted: readonly SeedBinding[]): Promise<boolean> {
  if (wanted.length === 0) return false;
  const { bindings: before = [], etag } = await readPolicy(client, owner);
  const bindings = merge(before, wanted);
  const countMembers = (list: readonly SeedBinding[]) => list.reduce((sum, { members }) => sum + members.length, 0);
  if (countMembers(bindings) === countMembers(before)) return false;
  await client.call({ method: "POST", url: `${owner.url}:setIamPolicy`, body: { policy: { version: 3, bindings, etag } } });
  return true;
}

/** Merges bindings into one for each role and condition, with each member once. */
function merge(...lists: readonly (readonly SeedBinding[])[]): SeedBinding[] {
  const merged = new Map<string, SeedBinding>();
  for (const binding of lists.flat()) {
    const key = JSON.stringify([binding.role, binding.condition?.expression, binding.condition?.title]);
    const members = [...new Set([...(merged.get(key)?.members ?? []), ...binding.members])];
    merged.set(key, { ...binding, members });
  }
  return [...merged.values()];
}

import type { ApiClient, ApiRequest } from "../../../cloud/api/client.ts";
import type { SeedBinding } from "./seed-file.ts";

interface Policy {
  readonly bindings?: readonly SeedBinding[];
  readonly etag?: string;
}

/** Whose policy it is, as the API's own URL for it. Services are asked with GET, everything else with POST. */
export interface PolicyOwner {
  readonly url: string;
  readonly method: "GET" | "POST";
}

export async function readPolicy(client: ApiClient, { url, method }: PolicyOwner): Promise<Policy> {
  const read: ApiRequest =
    method === "GET"
      ? { method, url: `${url}:getIamPolicy?options.requestedPolicyVersion=3` }
      : { method, url: `${url}:getIamPolicy`, body: { options: { requestedPolicyVersion: 3 } } };
  return (await client.call(read)) as Policy;
}

/** Adds bindings to a policy; true where they were not all there. What else it holds stays. */
export async function addBindings(client: ApiClient, owner: PolicyOwner, wanted: readonly SeedBinding[]): Promise<boolean> {
  if (wanted.length === 0) return false;
  const { bindings: before = [], etag } = await readPolicy(client, owner);
  const bindings = merge(before, wanted);
  const count = (list: readonly SeedBinding[]) => list.reduce((sum, { members }) => sum + members.length, 0);
  if (count(bindings) === count(before)) return false;
  await client.call({ method: "POST", url: `${owner.url}:setIamPolicy`, body: { policy: { version: 3, bindings, etag } } });
  return true;
}

/** One binding for a role under a condition, and no member twice. */
function merge(...lists: readonly (readonly SeedBinding[])[]): SeedBinding[] {
  const merged = new Map<string, SeedBinding>();
  for (const binding of lists.flat()) {
    const key = JSON.stringify([binding.role, binding.condition?.expression, binding.condition?.title]);
    const members = [...new Set([...(merged.get(key)?.members ?? []), ...binding.members])];
    merged.set(key, { ...binding, members });
  }
  return [...merged.values()];
}

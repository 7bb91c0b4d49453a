import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../errors.ts";
import type { ApiClient, ApiRequest } from "./api-client.ts";
import { serviceUrl } from "./api-deploy.ts";
import type { GrantOptions, Policy, ServiceName } from "./cloud.ts";
import { notInRole } from "./member.ts";

type Members = readonly string[];

export function policyRead(options: ServiceName): ApiRequest {
  return { method: "GET", url: `${policyUrl(options)}:getIamPolicy?options.requestedPolicyVersion=3` };
}

export function policyWrite(options: ServiceName, policy: Policy): ApiRequest {
  return { method: "POST", url: `${policyUrl(options)}:setIamPolicy`, body: { policy: { version: 3, ...policy } } };
}

export async function getPolicy(client: ApiClient, options: ServiceName): Promise<Policy> {
  // The policy of a service that does not exist would read as an empty one.
  await client.call({ method: "GET", url: serviceUrl(options) });
  return readPolicy(await client.call(policyRead(options)));
}

/** Read, modify, write; again from the start where somebody else was faster. https://cloud.google.com/iam/docs/retry-strategy */
export async function changeMembers(
  client: ApiClient,
  options: Omit<GrantOptions, "member">,
  change: (members: Members) => Members,
): Promise<Policy> {
  for (let attempt = 1; ; attempt += 1) {
    const policy = await getPolicy(client, options);
    // A binding with a condition is another binding.
    const isMeant = (binding: Policy["bindings"][number]) => binding.role === options.role && !("condition" in binding);
    const before = policy.bindings.find(isMeant)?.members ?? [];
    const members = change(before);
    if (members.length === before.length) return policy;
    const bindings = [
      ...policy.bindings.filter((binding) => !isMeant(binding)),
      ...(members.length > 0 ? [{ role: options.role, members }] : []),
    ];
    try {
      return readPolicy(await client.call(policyWrite(options, { bindings, etag: policy.etag })));
    } catch (error) {
      if (!(error instanceof CliError && error.code === "CONFLICT") || attempt === 6) throw error;
      await sleep(100 * 2 ** attempt * (0.5 + Math.random() / 2));
    }
  }
}

export function withMember(member: string): (members: Members) => Members {
  return (members) => [...new Set([...members, member])];
}

export function withoutMember(member: string): (members: Members) => Members {
  return (members) => members.filter((other) => other !== member);
}

/** The same, and NOT_FOUND where the member has not got the role. */
export function leaving(options: GrantOptions): (members: Members) => Members {
  return (members) => {
    if (!members.includes(options.member)) throw notInRole(options);
    return withoutMember(options.member)(members);
  };
}

function policyUrl({ project, region, service }: ServiceName): string {
  return `https://run.googleapis.com/v1/projects/${project}/locations/${region}/services/${service}`;
}

function readPolicy(value: unknown): Policy {
  const { bindings = [], etag = "" } = value as Partial<Policy>;
  return { bindings, etag };
}

import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../../errors/cli-error.ts";
import type { ApiClient, ApiRequest } from "./client.ts";
import type { Policy } from "../cloud.ts";

/** A role of a member's on a project, or on a service account where one is named. */
interface RoleOn {
  readonly project: string;
  readonly account?: string;
  readonly member: string;
  readonly role: string;
}

/** https://cloud.google.com/iam/docs/policies#versions: a version of less than 3 leaves conditions out. */
const VERSION = 3;

export function roleRead({ project, account }: RoleOn): ApiRequest {
  return account === undefined
    ? { method: "POST", url: `${resource({ project })}:getIamPolicy`, body: { options: { requestedPolicyVersion: VERSION } } }
    : { method: "POST", url: `${resource({ project, account })}:getIamPolicy?options.requestedPolicyVersion=${VERSION}` };
}

export function roleWrite(on: RoleOn, policy: Policy): ApiRequest {
  return { method: "POST", url: `${resource(on)}:setIamPolicy`, body: { policy: { version: VERSION, ...policy } } };
}

/** Read, modify, write; again from the start where somebody else was faster. https://cloud.google.com/iam/docs/retry-strategy */
export async function addRole(client: ApiClient, on: RoleOn, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { bindings = [], etag = "" } = (await client.call(roleRead(on))) as Partial<Policy>;
    // A binding with a condition is another binding.
    const isMeant = (binding: Policy["bindings"][number]) => binding.role === on.role && !("condition" in binding);
    const members = bindings.filter(isMeant).flatMap((binding) => binding.members);
    if (members.includes(on.member)) return;
    const changed = [...bindings.filter((binding) => !isMeant(binding)), { role: on.role, members: [...members, on.member] }];
    try {
      await client.call(roleWrite(on, { bindings: changed, etag }));
      return;
    } catch (error) {
      if (!(error instanceof CliError && error.code === "CONFLICT") || attempt === 6) throw error;
      await sleep(100 * 2 ** attempt * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

function resource({ project, account }: Pick<RoleOn, "project" | "account">): string {
  return account === undefined
    ? `https://cloudresourcemanager.googleapis.com/v1/projects/${project}`
    : `https://iam.googleapis.com/v1/projects/${project}/serviceAccounts/${account}`;
}

import type { ApiRequest } from "../server/api-request.ts";
import type { Principal } from "../iam/principal.ts";
import { invalidArgument } from "../server/errors.ts";
import { troubleshoot, type AccessTuple } from "../iam/troubleshoot.ts";
import type { Api } from "../server/router.ts";
import type { Runtime } from "../runtime.ts";

/** https://cloud.google.com/policy-intelligence/docs/reference/policytroubleshooter/rest/v1/iam/troubleshoot */
export function createPolicyTroubleshooterApi({ state }: Pick<Runtime, "state">): Api {
  return {
    hosts: ["policytroubleshooter.googleapis.com"],
    routes: {
      "POST /v1/iam:troubleshoot": {
        handle: async (call) => troubleshoot(state, await readTuple(call), call.principal as Principal),
      },
    },
  };
}

async function readTuple({ body }: ApiRequest): Promise<AccessTuple> {
  const { accessTuple } = await body.json();
  const { principal, fullResourceName, permission } = (accessTuple ?? {}) as Record<string, unknown>;
  if (typeof principal === "string" && typeof fullResourceName === "string" && typeof permission === "string")
    return { principal: principal, fullResourceName, permission };
  throw invalidArgument("accessTuple must have principal, fullResourceName, and permission.");
}

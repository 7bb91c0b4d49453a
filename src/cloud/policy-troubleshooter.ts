import type { CloudContext } from "./cloud-context.ts";
import { openApiClient, type ApiClient } from "./api/client.ts";
import { serviceUrl } from "./messages/knative-url.ts";
import type { ServiceName } from "./names.ts";
import type { KnativeService } from "./messages/knative-service.ts";

type Access = "GRANTED" | "NOT_GRANTED" | "UNKNOWN_CONDITIONAL" | "UNKNOWN_INFO_DENIED";

interface Expression {
  readonly title?: string;
  readonly expression: string;
}

/** https://cloud.google.com/policy-intelligence/docs/reference/policytroubleshooter/rest/v1/iam/troubleshoot#response-body */
export interface Explanation {
  readonly access: Access;
  readonly explainedPolicies?: readonly {
    readonly access: Access;
    readonly fullResourceName?: string;
    readonly bindingExplanations?: readonly {
      readonly access: Access;
      readonly role: string;
      readonly rolePermission?: string;
      readonly memberships?: Readonly<Record<string, { readonly membership: string }>>;
      readonly condition?: Expression;
    }[];
  }[];
  readonly errors?: readonly { readonly message?: string }[];
}

export const INVOKE_PERMISSION = "run.routes.invoke";

/**
 * Asks Google's Policy Troubleshooter whether a principal (an email address, or on the emulator a `principal://`) can invoke a service, and reads
 * the service. https://cloud.google.com/policy-intelligence/docs/reference/policytroubleshooter/rest/v1/iam/troubleshoot
 */
export async function troubleshootInvocation(
  context: Pick<CloudContext, "env" | "settings" | "send">,
  name: ServiceName,
  principal: string,
): Promise<{ service: KnativeService; explanation: Explanation }> {
  const client = openApiClient(context, name);
  const [service, explanation] = await Promise.all([
    client.call({ method: "GET", url: serviceUrl(name) }),
    askTroubleshooter(client, name, principal),
  ]);
  return { service: service as KnativeService, explanation };
}

export async function askTroubleshooter(client: ApiClient, name: ServiceName, principal: string): Promise<Explanation> {
  return (await client.call({ method: "POST", url: TROUBLESHOOT, body: { accessTuple: accessTuple(name, principal) } })) as Explanation;
}

export function planTroubleshooting(name: ServiceName, principal: string): string[] {
  return [`GET ${serviceUrl(name)}`, `POST ${TROUBLESHOOT} ${JSON.stringify({ accessTuple: accessTuple(name, principal) })}`];
}

const TROUBLESHOOT = "https://policytroubleshooter.googleapis.com/v1/iam:troubleshoot";

function accessTuple({ project, region, service }: ServiceName, principal: string): object {
  const fullResourceName = `//run.googleapis.com/projects/${project}/locations/${region}/services/${service}`;
  return { principal, fullResourceName, permission: INVOKE_PERMISSION };
}

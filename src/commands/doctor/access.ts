import { principalOfToken } from "../../auth/principal.ts";
import { policyRequest } from "../../cloud/api/policy.ts";
import type { Policy } from "../../cloud/cloud.ts";
import type { Service } from "../../cloud/service.ts";
import { INVOKER_ROLES } from "../../cloud/permissions.ts";
import { askTroubleshooter } from "../../cloud/policy-troubleshooter.ts";
import { CliError } from "../../errors/cli-error.ts";
import { fail, ok, skip, warn, type Check } from "./check.ts";
import type { Facts } from "./facts.ts";
import { requireFact } from "./require-fact.ts";

const PUBLIC_MEMBERS = new Set(["allUsers", "allAuthenticatedUsers"]);

/** Who can invoke the service, and whether the caller can. */
export const accessChecks: readonly Check[] = [
  {
    name: "policy",
    async run(facts) {
      const service = await requireService(facts);
      const members = unconditionalInvokers(await readPolicy(facts, service));
      const details = { members, invoker_iam_disabled: service.invoker_iam_disabled };
      if (service.invoker_iam_disabled)
        return warn(`Everybody may call ${service.service}: its invoker check is off.`, {
          remedy: `gcloud run services update ${service.service} --invoker-iam-check --region ${service.region} --project ${service.project}`,
          details,
        });
      const open = members.find((member) => PUBLIC_MEMBERS.has(member));
      if (open)
        return warn(`Everybody${open === "allUsers" ? "" : " with a Google account"} may call ${service.service}: ${open} has it.`, {
          remedy: `cloudrun-oauth revoke ${service.service} --member ${open} --region ${service.region}`,
          details,
        });
      if (members.length === 0)
        return warn(`Nobody has been granted to call ${service.service} itself: only whom the project lets in may.`, {
          remedy: `cloudrun-oauth grant ${service.service} --member MEMBER --region ${service.region}`,
          details,
        });
      return ok(`${service.service} may be called by ${members.join(", ")}.`, { details });
    },
  },
  {
    name: "caller",
    async run(facts) {
      const service = await requireService(facts);
      const { principal } = await requireFact("credentials", facts.caller());
      const member = principal ?? principalOfToken(await requireFact("token", facts.idToken()));
      if (member === undefined) return skip("Nothing says whose the credentials are.");
      const details = { member };
      if (service.invoker_iam_disabled) return ok(`${member} may call ${service.service}, as everybody may.`, { details });
      const members = unconditionalInvokers(await readPolicy(facts, service));
      if (members.some((other) => other === member || PUBLIC_MEMBERS.has(other)))
        return ok(`${member} may call ${service.service}.`, { details });
      // Only Google can evaluate groups, conditions, and the policies of the project.
      const access = await askTroubleshooter(await facts.client(), service, member.replace(/^.*?:/, "")).then(
        (explanation) => explanation.access,
        (error: unknown) => {
          if (error instanceof CliError) return undefined;
          throw error;
        },
      );
      if (access === "GRANTED") return ok(`${member} may call ${service.service}, by what the project grants.`, { details });
      const remedy = `cloudrun-oauth grant ${service.service} --member ${member} --region ${service.region}`;
      if (access === "NOT_GRANTED")
        return fail("NOT_AUTHORIZED", `${member} lacks roles/run.invoker on the service ${service.service}.`, { remedy, details });
      return warn(
        `${member} is not granted to call ${service.service} itself; whether the project or a group lets it in is not to be seen.`,
        { remedy, details },
      );
    },
  },
];

async function requireService(facts: Facts): Promise<Service> {
  await facts.serviceName();
  return requireFact("service", facts.service());
}

async function readPolicy({ client }: Facts, service: Service): Promise<Policy> {
  return (await (await client()).call(policyRequest(service))) as Policy;
}

/** The members that can invoke the service without a condition. */
function unconditionalInvokers({ bindings = [] }: Partial<Policy>): string[] {
  const invoking = bindings.filter((binding) => INVOKER_ROLES.has(binding.role) && !("condition" in binding));
  return [...new Set(invoking.flatMap(({ members }) => members))];
}

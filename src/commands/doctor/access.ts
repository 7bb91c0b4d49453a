import { principalOfToken } from "../../auth/member.ts";
import { policyRequest } from "../../cloud/api/policy.ts";
import type { Policy } from "../../cloud/cloud.ts";
import type { Service } from "../../cloud/service.ts";
import { INVOKER_ROLE, INVOKER_ROLES } from "../../cloud/permissions.ts";
import { askTroubleshooter } from "../../cloud/policy-troubleshooter.ts";
import { ignoreCliError } from "../../errors/ignore-cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { fail, gcloudStep, ok, skip, warn, type Check } from "./check.ts";
import type { Facts } from "./facts.ts";
import { requireFact } from "./require-fact.ts";

const PUBLIC_MEMBERS = new Set(["allUsers", "allAuthenticatedUsers"]);

/** Who can invoke the service, and whether the caller can. */
export const accessChecks: readonly Check[] = [
  {
    name: "policy",
    async run(facts) {
      const { service, region, project, invoker_iam_disabled, members } = await readAccess(facts);
      const details = { members, invoker_iam_disabled };
      if (invoker_iam_disabled) {
        const line = `run services update ${service} --invoker-iam-check --region ${region} --project ${project}`;
        const next = [gcloudStep("To require permission", line)];
        return warn(`Anyone can invoke ${service}: its invoker IAM check is disabled.`, { next, details });
      }
      const open = members.find((member) => PUBLIC_MEMBERS.has(member));
      if (open) {
        const anyone = open === "allUsers" ? "Anyone" : "Anyone with a Google account";
        const next = [nextStep("To make it private", "revoke", service, "--member", open, "--region", region)];
        return warn(`${anyone} can invoke ${service}: ${open} has ${INVOKER_ROLE}.`, { next, details });
      }
      if (members.length > 0) return ok(`Principals that can invoke ${service}: ${members.join(", ")}.`, { details });
      const next = [nextStep("To grant access", "grant", service, "--member", "MEMBER", "--region", region)];
      return warn(`No principal has access to ${service} itself, only through the project.`, { next, details });
    },
  },
  {
    name: "caller",
    async run(facts) {
      const access = await readAccess(facts);
      const { service, region, members } = access;
      const { principal } = await requireFact("credentials", facts.caller());
      const member = principal ?? principalOfToken(await requireFact("token", facts.idToken()));
      if (member === undefined) return skip("The credentials don't identify a principal.");
      const details = { member };
      if (access.invoker_iam_disabled) return ok(`${member} can invoke ${service}, as anyone can.`, { details });
      if (members.some((other) => other === member || PUBLIC_MEMBERS.has(other)))
        return ok(`${member} can invoke ${service}.`, { details });
      // Only Google can evaluate groups, conditions, and the policies of the project.
      const explanation = await askTroubleshooter(await facts.client(), access, member.replace(/^.*?:/, "")).catch(ignoreCliError);
      if (explanation?.access === "GRANTED") return ok(`${member} can invoke ${service} through the project or a group.`, { details });
      const more = { next: [nextStep("To grant access", "grant", service, "--member", member, "--region", region)], details };
      if (explanation?.access === "NOT_GRANTED")
        return fail("NOT_AUTHORIZED", `${member} doesn't have permission to invoke "${service}" (${INVOKER_ROLE}).`, more);
      return warn(`${member} has no access to ${service} itself; access through the project or a group can't be checked.`, more);
    },
  },
];

/** The service, with the members that its policy lets invoke it without a condition. */
async function readAccess(facts: Facts): Promise<Service & { readonly members: readonly string[] }> {
  await facts.serviceName();
  const service = await requireFact("service", facts.service());
  const { bindings = [] } = await (await facts.client()).call<Partial<Policy>>(policyRequest(service));
  const invoking = bindings.filter((binding) => INVOKER_ROLES.has(binding.role) && !("condition" in binding));
  return { ...service, members: [...new Set(invoking.flatMap(({ members }) => members))] };
}

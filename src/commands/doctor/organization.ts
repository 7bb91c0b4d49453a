import { CliError } from "../../errors/cli-error.ts";
import { ok, skip, warn, type Check, type Finding } from "./check.ts";
import { isNotEnabled, type Facts } from "./facts.ts";
import { requireFact } from "./require-fact.ts";

/** Google's rule message: https://cloud.google.com/resource-manager/docs/reference/orgpolicy/rest/v2/organizations.policies#PolicyRule */
interface Rule {
  readonly enforce?: boolean;
  readonly allowAll?: boolean;
  readonly denyAll?: boolean;
  readonly values?: { readonly allowedValues?: readonly string[]; readonly deniedValues?: readonly string[] };
}

interface Constraint {
  readonly name: string;
  /** The legacy and the managed constraint for one restriction. https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints */
  readonly constraints: readonly string[];
  /** The message if no rule restricts it. */
  readonly okMessage: string;
  /** Describes the restriction; undefined if the rule is none. */
  readonly describe: (rule: Rule, facts: Facts) => string | undefined;
  readonly remedy: (project: string) => string;
}

const ifEnforced = (sentence: string) => (rule: Rule) => (rule.enforce ? sentence : undefined);

const CONSTRAINTS: readonly Constraint[] = [
  {
    name: "org-key-creation",
    constraints: ["iam.disableServiceAccountKeyCreation", "iam.managed.disableServiceAccountKeyCreation"],
    okMessage: "Keys of service accounts may be made.",
    describe: ifEnforced("The organisation forbids to make keys of service accounts."),
    remedy: () => "cloudrun-oauth invoke --impersonate-service-account ACCOUNT",
  },
  {
    name: "org-members",
    constraints: ["iam.allowedPolicyMemberDomains", "iam.managed.allowedPolicyMembers"],
    okMessage: "Members of any domain may be granted something.",
    describe: (rule) =>
      rule.enforce || rule.denyAll || rule.values?.allowedValues
        ? "The organisation allows members of its own domains only: a grant to anybody else, and to allUsers, is refused."
        : undefined,
    remedy: (project) => `gcloud run services update SERVICE --no-invoker-iam-check --project ${project}`,
  },
  {
    name: "org-ingress",
    constraints: ["run.allowedIngress"],
    okMessage: "Services may be called from everywhere.",
    describe: (rule) =>
      isExcluded(rule, "all")
        ? "The organisation does not allow ingress from everywhere: services are not to be called from this machine."
        : undefined,
    remedy: (project) => `gcloud org-policies describe run.allowedIngress --effective --project ${project}`,
  },
  {
    name: "org-invoker-check",
    constraints: ["run.managed.requireInvokerIam"],
    okMessage: "The invoker check of a service may be switched off.",
    describe: ifEnforced("The organisation wants callers checked: --no-invoker-iam-check is refused."),
    remedy: () => "cloudrun-oauth grant --member MEMBER",
  },
  {
    name: "org-locations",
    constraints: ["gcp.resourceLocations"],
    okMessage: "Resources may be made anywhere.",
    describe: (rule, { context }) => {
      const region = context.settings.get("region")?.value ?? "";
      const { allowedValues } = rule.values ?? {};
      // Only Google knows the regions of a group such as in:us-locations.
      if (allowedValues?.some((value) => value.startsWith("in:") && value !== `in:${region}-locations`) && !rule.denyAll)
        return `The organisation says where resources may be made: ${allowedValues.join(", ")}.`;
      const isAllowed = !isExcluded(rule, region) || allowedValues?.includes(`in:${region}-locations`);
      return isAllowed ? undefined : `The organisation does not allow resources in ${region}.`;
    },
    remedy: (project) => `gcloud org-policies describe gcp.resourceLocations --effective --project ${project}`,
  },
];

/** The restrictions of the organization. */
export const organizationChecks: readonly Check[] = CONSTRAINTS.map((constraint) => ({
  name: constraint.name,
  run: (facts) => checkConstraint(constraint, facts),
}));

async function checkConstraint({ constraints, okMessage, describe, remedy }: Constraint, facts: Facts): Promise<Finding> {
  const { id } = await requireFact("project", facts.project());
  const rulesOf = await Promise.all(constraints.map((constraint) => readRules(facts, id, constraint)));
  if (rulesOf.every((effective) => effective === undefined))
    return skip(`The Organization Policy API is not enabled in ${id}.`, {
      remedy: `gcloud services enable orgpolicy.googleapis.com --project ${id}`,
    });
  const rules = constraints.flatMap((constraint, index) => (rulesOf[index] ?? []).map((rule) => ({ constraint, rule })));
  const details = { constraints, rules };
  for (const { constraint, rule } of rules) {
    const sentence = describe(rule, facts);
    if (sentence) return warn(`${sentence.replace(/\.$/, "")} (constraints/${constraint}).`, { remedy: remedy(id), details });
  }
  return ok(okMessage, { details });
}

/** The effective rules of a constraint; undefined if the API isn't enabled. */
async function readRules({ client }: Facts, project: string, constraint: string): Promise<readonly Rule[] | undefined> {
  const url = `https://orgpolicy.googleapis.com/v2/projects/${project}/policies/${constraint}:getEffectivePolicy`;
  try {
    const { spec } = (await (await client()).call({ method: "GET", url })) as { readonly spec?: { readonly rules?: readonly Rule[] } };
    return spec?.rules ?? [];
  } catch (error) {
    // A constraint that Google doesn't know restricts nothing.
    if (error instanceof CliError && error.code === "NOT_FOUND") return [];
    if (isNotEnabled(error)) return undefined;
    throw error;
  }
}

function isExcluded({ denyAll, values }: Rule, value: string): boolean {
  const { allowedValues, deniedValues } = values ?? {};
  return denyAll === true || deniedValues?.includes(value) === true || (allowedValues !== undefined && !allowedValues.includes(value));
}

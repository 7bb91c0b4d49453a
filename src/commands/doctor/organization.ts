import { CliError } from "../../errors/cli-error.ts";
import { nextStep, type NextStep } from "../../errors/next-step.ts";
import { gcloudStep, ok, skip, warn, type Check, type Finding } from "./check.ts";
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
  /** Describes the restriction, in a sentence without its period; undefined if the rule is none. */
  readonly describe: (rule: Rule, facts: Facts) => string | undefined;
  readonly next: (facts: Facts, project: string) => NextStep;
}

const ifEnforced = (sentence: string) => (rule: Rule) => (rule.enforce ? sentence : undefined);
const showPolicy = (constraint: string) => (_: Facts, project: string) =>
  gcloudStep("To see the policy", `org-policies describe ${constraint} --effective --project ${project}`);
const serviceOf = ({ context }: Facts) => context.settings.get("service")?.value ?? "SERVICE";

const CONSTRAINTS: readonly Constraint[] = [
  {
    name: "org-key-creation",
    constraints: ["iam.disableServiceAccountKeyCreation", "iam.managed.disableServiceAccountKeyCreation"],
    okMessage: "Service account keys can be created.",
    describe: ifEnforced("The organization doesn't allow service account keys"),
    next: () => nextStep("To call a service without a key", "invoke", "--impersonate-service-account", "ACCOUNT"),
  },
  {
    name: "org-members",
    constraints: ["iam.allowedPolicyMemberDomains", "iam.managed.allowedPolicyMembers"],
    okMessage: "Domain-restricted sharing is off.",
    describe: (rule) =>
      rule.enforce || rule.denyAll || rule.values?.allowedValues
        ? "The organization rejects grants to allUsers and to members outside its domains"
        : undefined,
    next: (facts, project) =>
      gcloudStep("To make a service public anyway", `run services update ${serviceOf(facts)} --no-invoker-iam-check --project ${project}`),
  },
  {
    name: "org-ingress",
    constraints: ["run.allowedIngress"],
    okMessage: "Ingress from the internet is allowed.",
    describe: (rule) =>
      isExcluded(rule, "all")
        ? "The organization doesn't allow ingress from the internet, so you can't call services from here"
        : undefined,
    next: showPolicy("run.allowedIngress"),
  },
  {
    name: "org-invoker-check",
    constraints: ["run.managed.requireInvokerIam"],
    okMessage: "A service's invoker IAM check can be disabled.",
    describe: ifEnforced("The organization requires the invoker IAM check and rejects --no-invoker-iam-check"),
    next: (facts) => nextStep("To grant access instead", "grant", serviceOf(facts), "--member", "MEMBER"),
  },
  {
    name: "org-locations",
    constraints: ["gcp.resourceLocations"],
    okMessage: "Locations aren't restricted.",
    describe: (rule, { context }) => {
      const region = context.settings.get("region")?.value ?? "";
      const { allowedValues } = rule.values ?? {};
      // Only Google knows the regions of a group such as in:us-locations.
      if (allowedValues?.some((value) => value.startsWith("in:") && value !== `in:${region}-locations`) && !rule.denyAll)
        return `The organization restricts resources to these locations: ${allowedValues.join(", ")}`;
      const isAllowed = !isExcluded(rule, region) || allowedValues?.includes(`in:${region}-locations`);
      return isAllowed ? undefined : `The organization doesn't allow resources in ${region}`;
    },
    next: showPolicy("gcp.resourceLocations"),
  },
];

/** The restrictions of the organization. */
export const organizationChecks: readonly Check[] = CONSTRAINTS.map((constraint) => ({
  name: constraint.name,
  run: (facts) => checkConstraint(constraint, facts),
}));

async function checkConstraint({ constraints, okMessage, describe, next }: Constraint, facts: Facts): Promise<Finding> {
  const { id } = await requireFact("project", facts.project());
  const rulesOf = await Promise.all(constraints.map((constraint) => readRules(facts, id, constraint)));
  if (rulesOf.every((effective) => effective === undefined))
    return skip(`The Organization Policy API isn't enabled in ${id}.`, {
      next: [gcloudStep("To enable it", `services enable orgpolicy.googleapis.com --project ${id}`)],
    });
  const rules = constraints.flatMap((constraint, index) => (rulesOf[index] ?? []).map((rule) => ({ constraint, rule })));
  const details = { constraints, rules };
  for (const { constraint, rule } of rules) {
    const sentence = describe(rule, facts);
    if (sentence) return warn(`${sentence} (constraints/${constraint}).`, { next: [next(facts, id)], details });
  }
  return ok(okMessage, { details });
}

/** The effective rules of a constraint; undefined if the API isn't enabled. */
async function readRules({ client }: Facts, project: string, constraint: string): Promise<readonly Rule[] | undefined> {
  const url = `https://orgpolicy.googleapis.com/v2/projects/${project}/policies/${constraint}:getEffectivePolicy`;
  try {
    const { spec } = await (await client()).call<{ readonly spec?: { readonly rules?: readonly Rule[] } }>({ method: "GET", url });
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

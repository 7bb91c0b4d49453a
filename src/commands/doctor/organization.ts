import { CliError } from "../../errors/cli-error.ts";
import { need, ok, skip, warn, type Check, type Finding } from "./check.ts";
import { isNotEnabled, type World } from "./facts.ts";

/** Google's rule message: https://cloud.google.com/resource-manager/docs/reference/orgpolicy/rest/v2/organizations.policies#PolicyRule */
interface Rule {
  readonly enforce?: boolean;
  readonly allowAll?: boolean;
  readonly denyAll?: boolean;
  readonly values?: { readonly allowedValues?: readonly string[]; readonly deniedValues?: readonly string[] };
}

interface Constraint {
  readonly name: string;
  /** Those that forbid the same, old and managed. https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints */
  readonly constraints: readonly string[];
  /** What is well, to the end of a sentence. */
  readonly free: string;
  /** What bites; undefined where the rule does not. */
  readonly bite: (rule: Rule, world: World) => string | undefined;
  readonly remedy: (project: string) => string;
}

const isEnforced = (sentence: string) => (rule: Rule) => (rule.enforce ? sentence : undefined);

const CONSTRAINTS: readonly Constraint[] = [
  {
    name: "org-key-creation",
    constraints: ["iam.disableServiceAccountKeyCreation", "iam.managed.disableServiceAccountKeyCreation"],
    free: "Keys of service accounts may be made.",
    bite: isEnforced("The organisation forbids to make keys of service accounts."),
    remedy: () => "cloudrun-oauth invoke --impersonate-service-account ACCOUNT",
  },
  {
    name: "org-members",
    constraints: ["iam.allowedPolicyMemberDomains", "iam.managed.allowedPolicyMembers"],
    free: "Members of any domain may be granted something.",
    bite: (rule) =>
      rule.enforce || rule.denyAll || rule.values?.allowedValues
        ? "The organisation allows members of its own domains only: a grant to anybody else, and to allUsers, is refused."
        : undefined,
    remedy: (project) => `gcloud run services update SERVICE --no-invoker-iam-check --project ${project}`,
  },
  {
    name: "org-ingress",
    constraints: ["run.allowedIngress"],
    free: "Services may be called from everywhere.",
    bite: (rule) =>
      isExcluded(rule, "all")
        ? "The organisation does not allow ingress from everywhere: services are not to be called from this machine."
        : undefined,
    remedy: (project) => `gcloud org-policies describe run.allowedIngress --effective --project ${project}`,
  },
  {
    name: "org-invoker-check",
    constraints: ["run.managed.requireInvokerIam"],
    free: "The invoker check of a service may be switched off.",
    bite: isEnforced("The organisation wants callers checked: --no-invoker-iam-check is refused."),
    remedy: () => "cloudrun-oauth grant --member MEMBER",
  },
  {
    name: "org-locations",
    constraints: ["gcp.resourceLocations"],
    free: "Resources may be made anywhere.",
    bite: (rule, { context }) => {
      const region = context.settings.get("region")?.value ?? "";
      const { allowedValues } = rule.values ?? {};
      // A group, as in:us-locations, is Google's to read.
      if (allowedValues?.some((value) => value.startsWith("in:") && value !== `in:${region}-locations`) && !rule.denyAll)
        return `The organisation says where resources may be made: ${allowedValues.join(", ")}.`;
      const isAllowed = !isExcluded(rule, region) || allowedValues?.includes(`in:${region}-locations`);
      return isAllowed ? undefined : `The organisation does not allow resources in ${region}.`;
    },
    remedy: (project) => `gcloud org-policies describe gcp.resourceLocations --effective --project ${project}`,
  },
];

/** What an organisation forbids, before it is tried. */
export const organisationChecks: readonly Check[] = CONSTRAINTS.map((constraint) => ({
  name: constraint.name,
  run: (world) => look(constraint, world),
}));

async function look({ constraints, free, bite, remedy }: Constraint, world: World): Promise<Finding> {
  const { id } = await need("project", world.project());
  const read = await Promise.all(constraints.map((constraint) => readRules(world, id, constraint)));
  if (read.every((rules) => rules === undefined))
    return skip(`The Organization Policy API is not enabled in ${id}.`, {
      remedy: `gcloud services enable orgpolicy.googleapis.com --project ${id}`,
    });
  const found = constraints.flatMap((constraint, index) => (read[index] ?? []).map((rule) => ({ constraint, rule })));
  const details = { constraints, rules: found };
  for (const { constraint, rule } of found) {
    const sentence = bite(rule, world);
    if (sentence) return warn(`${sentence.replace(/\.$/, "")} (constraints/${constraint}).`, { remedy: remedy(id), details });
  }
  return ok(free, { details });
}

/** What is in force; undefined where the API is not enabled, and nothing of the constraint can be known. */
async function readRules({ client }: World, project: string, constraint: string): Promise<readonly Rule[] | undefined> {
  const url = `https://orgpolicy.googleapis.com/v2/projects/${project}/policies/${constraint}:getEffectivePolicy`;
  try {
    const { spec } = (await (await client()).call({ method: "GET", url })) as { readonly spec?: { readonly rules?: readonly Rule[] } };
    return spec?.rules ?? [];
  } catch (error) {
    // A constraint that Google does not have here forbids nothing.
    if (error instanceof CliError && error.code === "NOT_FOUND") return [];
    if (isNotEnabled(error)) return undefined;
    throw error;
  }
}

function isExcluded({ denyAll, values }: Rule, value: string): boolean {
  const { allowedValues, deniedValues } = values ?? {};
  return denyAll === true || deniedValues?.includes(value) === true || (allowedValues !== undefined && !allowedValues.includes(value));
}

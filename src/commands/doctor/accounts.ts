import type { ApiRequest } from "../../cloud/api/client.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { fail, gcloudStep, ok, skip, warn, type Check, type Finding } from "./check.ts";
import type { Project, Facts } from "./facts.ts";
import { dependsOn, ignoreMissing, requireFact } from "./require-fact.ts";

interface Account {
  readonly disabled?: boolean;
}

interface Binding {
  readonly role: string;
  readonly members?: readonly string[];
}

/** Each of these roles is enough for a build to read its source, push its image, and write its log. */
const BUILD_ROLES = ["roles/cloudbuild.builds.builder", "roles/run.builder", "roles/editor", "roles/owner"];

/** The accounts that services run as and that run builds. */
export const accountChecks: readonly Check[] = [
  {
    name: "runtime-account",
    async run(facts) {
      const project = await requireFact("project", facts.project());
      const service = await facts.service().catch(ignoreMissing);
      const account = service?.service_account ?? defaultAccount(project);
      const isDefault = account.endsWith("-compute@developer.gserviceaccount.com");
      const details = { account, is_default: isDefault };
      const enable = gcloudStep("To create it", `services enable compute.googleapis.com --project ${project.id}`);
      const next = [...(isDefault ? [enable] : []), nextStep("To use another account", "deploy", "--service-account", "ACCOUNT")];
      const use = service ? `which ${service.service} runs as` : "which services run as by default";
      return (await findFault(facts, project.id, account, use, { next, details })) ?? ok(`Services run as ${account}.`, { details });
    },
  },
  {
    name: "build-account",
    async run(facts) {
      const { id } = await requireFact("project", facts.project());
      const { region } = await facts.place();
      const client = await facts.client();
      const base = `https://cloudbuild.googleapis.com/v1/projects/${id}/locations/${region}/defaultServiceAccount`;
      const { serviceAccountEmail = "" } = await client.call<{ readonly serviceAccountEmail?: string }>({ method: "GET", url: base });
      const account = serviceAccountEmail.split("/").at(-1) ?? "";
      if (account === "") return skip("Cloud Build doesn't report its service account.");
      const next = [gcloudStep("To see the configured account", `builds get-default-service-account --project ${id}`)];
      // Google's own agent belongs to another project.
      const isAgent = account.endsWith("@cloudbuild.gserviceaccount.com");
      const fault = isAgent ? undefined : await findFault(facts, id, account, "which builds run as", { next, details: { account } });
      if (fault) return fault;
      const request: ApiRequest = {
        method: "POST",
        url: `https://cloudresourcemanager.googleapis.com/v1/projects/${id}:getIamPolicy`,
        body: { options: { requestedPolicyVersion: 3 } },
      };
      const { bindings = [] } = await client.call<{ readonly bindings?: readonly Binding[] }>(request);
      const member = `serviceAccount:${account}`;
      const roles = bindings.filter(({ members = [] }) => members.includes(member)).map(({ role }) => role);
      const details = { account, roles };
      if (roles.some((role) => BUILD_ROLES.includes(role))) return ok(`Builds run as ${account} (${roles.join(", ")}).`, { details });
      return warn(`${account}, which builds run as, has no role for builds, so builds might fail to push images.`, {
        next: [gcloudStep("To grant the role", `projects add-iam-policy-binding ${id} --member ${member} --role roles/run.builder`)],
        details,
      });
    },
  },
];

/** The account that services run as by default. Throws Skipped if the project's number isn't known. */
export function defaultAccount({ number }: Project): string {
  if (number === undefined) throw dependsOn("project");
  return `${number}-compute@developer.gserviceaccount.com`;
}

/** The finding for an account that doesn't exist or is disabled; `missing` says what helps if it doesn't exist. */
async function findFault(
  { client }: Facts,
  project: string,
  account: string,
  use: string,
  missing: Pick<Finding, "next" | "details">,
): Promise<Finding | undefined> {
  try {
    const url = `https://iam.googleapis.com/v1/projects/${project}/serviceAccounts/${account}`;
    const { disabled } = await (await client()).call<Account>({ method: "GET", url });
    if (!disabled) return undefined;
    const next = [gcloudStep("To enable it", `iam service-accounts enable ${account} --project ${project}`)];
    return fail("NOT_FOUND", `Service account ${account}, ${use}, is disabled.`, { ...missing, next });
  } catch (error) {
    if (!(error instanceof CliError && error.code === "NOT_FOUND")) throw error;
    return fail("NOT_FOUND", `Service account ${account}, ${use}, not found.`, missing);
  }
}

import { CliError } from "../../errors/cli-error.ts";
import { fail, ok, skip, warn, type Check } from "./check.ts";
import type { Project, Facts } from "./facts.ts";
import { ignoreMissing, Skipped, requireFact } from "./require-fact.ts";

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
      const existing = await findAccount(facts, project.id, account);
      const details = { account, is_default: account.endsWith("-compute@developer.gserviceaccount.com") };
      if (existing === undefined)
        return fail(
          "NOT_FOUND",
          `There is no service account ${account}, which ${service ? "the service runs as" : "services run as unless said otherwise"}.`,
          {
            remedy: details.is_default
              ? "gcloud services enable compute.googleapis.com\ncloudrun-oauth deploy --service-account ACCOUNT"
              : `cloudrun-oauth deploy --service-account ACCOUNT`,
            details,
          },
        );
      if (existing.disabled)
        return fail("NOT_FOUND", `${account}, which services run as, is disabled.`, {
          remedy: `gcloud iam service-accounts enable ${account} --project ${project.id}`,
          details,
        });
      return ok(`${account} is there, for services to run as.`, { details });
    },
  },
  {
    name: "build-account",
    async run(facts) {
      const { id } = await requireFact("project", facts.project());
      const { region } = await facts.place();
      const client = await facts.client();
      const base = `https://cloudbuild.googleapis.com/v1/projects/${id}/locations/${region}/defaultServiceAccount`;
      const { serviceAccountEmail = "" } = (await client.call({ method: "GET", url: base })) as { readonly serviceAccountEmail?: string };
      const account = serviceAccountEmail.split("/").at(-1) ?? "";
      if (account === "") return skip("Cloud Build does not say which account it builds by.");
      // Google's own agent belongs to another project.
      const existing = account.endsWith("@cloudbuild.gserviceaccount.com") ? {} : await findAccount(facts, id, account);
      const details = { account };
      if (existing === undefined)
        return fail("NOT_FOUND", `There is no service account ${account}, which builds are made by.`, {
          remedy: "gcloud builds get-default-service-account",
          details,
        });
      if (existing.disabled)
        return fail("NOT_FOUND", `${account}, which builds are made by, is disabled.`, {
          remedy: `gcloud iam service-accounts enable ${account} --project ${id}`,
          details,
        });
      const url = `https://cloudresourcemanager.googleapis.com/v1/projects/${id}:getIamPolicy`;
      const body = { options: { requestedPolicyVersion: 3 } };
      const { bindings = [] } = (await client.call({ method: "POST", url, body })) as { readonly bindings?: readonly Binding[] };
      const roles = bindings.filter(({ members = [] }) => members.includes(`serviceAccount:${account}`)).map(({ role }) => role);
      const detailsWithRoles = { ...details, roles };
      if (roles.some((role) => BUILD_ROLES.includes(role)))
        return ok(`Builds are made by ${account}, which has ${roles.join(", ")}.`, { details: detailsWithRoles });
      return warn(
        `Builds are made by ${account}, which has none of the roles that the project gives for that: it may not be able to push images.`,
        {
          remedy: `gcloud projects add-iam-policy-binding ${id} --member serviceAccount:${account} --role roles/run.builder`,
          details: detailsWithRoles,
        },
      );
    },
  },
];

/** The account that services run as by default. Throws Skipped if the project's number isn't known. */
export function defaultAccount({ number }: Project): string {
  if (number === undefined) throw new Skipped("Not looked at: see project.");
  return `${number}-compute@developer.gserviceaccount.com`;
}

async function findAccount({ client }: Facts, project: string, account: string): Promise<Account | undefined> {
  try {
    const url = `https://iam.googleapis.com/v1/projects/${project}/serviceAccounts/${account}`;
    return (await (await client()).call({ method: "GET", url })) as Account;
  } catch (error) {
    if (error instanceof CliError && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

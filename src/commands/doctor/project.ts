import { enableApis, planEnabling } from "../../cloud/api/enable-apis.ts";
import { requestLine } from "../../cloud/api/client.ts";
import { CliError } from "../../errors/cli-error.ts";
import { fail, ok, skip, warn, type Check, type Finding } from "./check.ts";
import type { Facts } from "./facts.ts";
import { ignoreMissing, requireFact } from "./require-fact.ts";

/** Every deployment needs these APIs; some commands need the others. */
const REQUIRED_APIS = ["run.googleapis.com", "cloudbuild.googleapis.com", "artifactregistry.googleapis.com", "storage.googleapis.com"];
const OPTIONAL_APIS = [
  "cloudresourcemanager.googleapis.com",
  "iam.googleapis.com",
  "iamcredentials.googleapis.com",
  "logging.googleapis.com",
  "serviceusage.googleapis.com",
];

export const projectChecks: readonly Check[] = [
  {
    name: "project",
    async run(facts) {
      const { settings } = facts.context;
      const { value, source } = settings.get("project") ?? {};
      // Throws, with how to set a project, if none is set.
      const id = settings.require("project");
      try {
        const { number } = await facts.project();
        const details = { project: value, source, number: number ?? null };
        if (number !== undefined) return ok(`${id} (number ${number}) is active; it is set by ${source}.`, { details });
        return warn(`${id} is set by ${source}, and cannot be looked at: the Cloud Resource Manager API is not enabled.`, {
          ...fixByEnabling(id, ["cloudresourcemanager.googleapis.com"]),
          details,
        });
      } catch (error) {
        if (!(error instanceof CliError) || error.code !== "PERMISSION_DENIED") throw error;
        const who = await describeDeployer(facts);
        return fail("PERMISSION_DENIED", `There is no project ${id}, or ${who} may not see it; it is set by ${source}.`, {
          remedy: "gcloud projects list",
          details: { ...error.details, project: id, source },
        });
      }
    },
  },
  {
    name: "billing",
    async run(facts) {
      const { id } = await requireFact("project", facts.project());
      const client = await facts.client();
      const url = `https://cloudbilling.googleapis.com/v1/projects/${id}/billingInfo`;
      const info = (await client.call({ method: "GET", url })) as {
        readonly billingEnabled?: boolean;
        readonly billingAccountName?: string;
      };
      const details = { billing_account: info.billingAccountName || null };
      if (info.billingEnabled) return ok(`${id} has billing.`, { details });
      return fail("PERMISSION_DENIED", `${id} has no billing: Cloud Run, Cloud Build and Artifact Registry refuse to work.`, {
        remedy: `gcloud billing accounts list\ngcloud billing projects link ${id} --billing-account ACCOUNT_ID`,
        details,
      });
    },
  },
  {
    name: "apis",
    async run(facts) {
      const { id } = await requireFact("project", facts.project());
      const url = new URL(`https://serviceusage.googleapis.com/v1/projects/${id}/services:batchGet`);
      for (const name of [...REQUIRED_APIS, ...OPTIONAL_APIS]) url.searchParams.append("names", `projects/${id}/services/${name}`);
      const client = await facts.client();
      const { services = [] } = (await client.call({ method: "GET", url: url.href })) as {
        readonly services?: readonly { readonly name: string; readonly state?: string }[];
      };
      const enabled = services.filter(({ state }) => state === "ENABLED").map(({ name }) => name.split("/").at(-1));
      const missing = (names: readonly string[]) => names.filter((name) => !enabled.includes(name));
      const [needed, useful] = [missing(REQUIRED_APIS), missing(OPTIONAL_APIS)];
      const all = [...needed, ...useful];
      if (all.length === 0) return ok("All that are needed are enabled.", { details: { enabled } });
      const more = { ...fixByEnabling(id, all), details: { enabled, missing: all } };
      if (needed.length > 0) return fail("PERMISSION_DENIED", `Not enabled in ${id}: ${all.join(", ")}.`, more);
      return warn(`Not enabled in ${id}, and needed now and then: ${useful.join(", ")}.`, more);
    },
  },
  {
    name: "region",
    async run(facts) {
      const { region, project } = await requireFact("project", facts.place());
      await requireFact("project", facts.project());
      const url = `https://run.googleapis.com/v1/projects/${project}/locations`;
      const client = await facts.client();
      const { locations = [] } = (await client.call({ method: "GET", url })) as {
        readonly locations?: readonly { readonly locationId?: string }[];
      };
      const regions = locations.flatMap(({ locationId }) => locationId ?? []);
      const { source } = facts.context.settings.get("region") ?? {};
      const details = { region, source };
      if (regions.includes(region)) return ok(`Cloud Run is in ${region}; the region is set by ${source}.`, { details });
      if (regions.length === 0) return skip("Cloud Run does not say where it is.", { details });
      const continent = region.split("-")[0] ?? "";
      const near = regions.filter((other) => other.startsWith(`${continent}-`));
      return fail("SETTINGS_INVALID", `Cloud Run is not in ${region}, which is set by ${source}.`, {
        remedy: `cloudrun-oauth config set region ${near[0] ?? "us-central1"}`,
        details: { ...details, regions: near.length > 0 ? near : regions },
      });
    },
  },
];

/** The remedy and the fix for APIs that aren't enabled. */
function fixByEnabling(project: string, names: readonly string[]): Pick<Finding, "remedy" | "fix"> {
  return {
    remedy: `gcloud services enable ${names.join(" ")} --project ${project}`,
    fix: {
      question: `Enable ${names.join(", ")} in project ${project}?`,
      plan: planEnabling(project, names).map(requestLine),
      apply: async ({ client, context }) => enableApis(await client(), project, names, context.signal),
    },
  };
}

/** Names the deployer at the beginning of a sentence. */
export async function describeDeployer({ deployer }: Facts): Promise<string> {
  return (await deployer().catch(ignoreMissing))?.principal?.replace(/^.*?:/, "") ?? "your account";
}

import { enableApis, planEnabling } from "../../cloud/api/project.ts";
import { requestLine } from "../../cloud/api/client.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { fail, gcloudStep, ok, skip, warn, type Check, type Finding } from "./check.ts";
import { describeDeployer } from "./facts.ts";
import { requireFact } from "./require-fact.ts";

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
        if (number !== undefined) return ok(`Project ${id} (number ${number}) is active; set by ${source}.`, { details });
        return warn(`Can't check project ${id}: the Cloud Resource Manager API isn't enabled.`, {
          fix: fixByEnabling(id, ["cloudresourcemanager.googleapis.com"]),
          details,
        });
      } catch (error) {
        if (!(error instanceof CliError) || error.code !== "PERMISSION_DENIED") throw error;
        const message = `Project "${id}" (from ${source}) not found, or ${await describeDeployer(facts)} doesn't have access to it.`;
        return fail("PERMISSION_DENIED", message, {
          next: [gcloudStep("To list projects", "projects list")],
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
      const info = await client.call<{ readonly billingEnabled?: boolean; readonly billingAccountName?: string }>({ method: "GET", url });
      const details = { billing_account: info.billingAccountName || null };
      if (info.billingEnabled) return ok(`Billing is enabled for project ${id}.`, { details });
      return fail("PERMISSION_DENIED", `Billing isn't enabled for project ${id}.`, {
        hint: "Cloud Run, Cloud Build, and Artifact Registry require billing.",
        next: [
          gcloudStep("To list billing accounts", "billing accounts list"),
          gcloudStep("To enable billing", `billing projects link ${id} --billing-account ACCOUNT_ID`),
        ],
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
      interface Answer {
        readonly services?: readonly { readonly name: string; readonly state?: string }[];
      }
      const { services = [] } = await client.call<Answer>({ method: "GET", url: url.href });
      const enabled = services.filter(({ state }) => state === "ENABLED").map(({ name }) => name.split("/").at(-1));
      const missing = (names: readonly string[]) => names.filter((name) => !enabled.includes(name));
      const [required, optional] = [missing(REQUIRED_APIS), missing(OPTIONAL_APIS)];
      const all = [...required, ...optional];
      if (all.length === 0) return ok("Required APIs are enabled.", { details: { enabled } });
      const more = { fix: fixByEnabling(id, all), details: { enabled, missing: all } };
      if (required.length > 0) return fail("PERMISSION_DENIED", `These APIs aren't enabled in ${id}: ${all.join(", ")}.`, more);
      return warn(`These optional APIs aren't enabled in ${id}: ${optional.join(", ")}.`, more);
    },
  },
  {
    name: "region",
    async run(facts) {
      const { region, project } = await requireFact("project", facts.place());
      await requireFact("project", facts.project());
      const url = `https://run.googleapis.com/v1/projects/${project}/locations`;
      const client = await facts.client();
      const { locations = [] } = await client.call<{ readonly locations?: readonly { readonly locationId?: string }[] }>({
        method: "GET",
        url,
      });
      const regions = locations.flatMap(({ locationId }) => locationId ?? []);
      const { source } = facts.context.settings.get("region") ?? {};
      const details = { region, source };
      if (regions.includes(region)) return ok(`Cloud Run is available in ${region}; set by ${source}.`, { details });
      if (regions.length === 0) return skip("Cloud Run doesn't report its regions.", { details });
      const continent = region.split("-")[0] ?? "";
      const near = regions.filter((other) => other.startsWith(`${continent}-`));
      return fail("SETTINGS_INVALID", `Cloud Run isn't available in ${region} (from ${source}).`, {
        next: [nextStep("To use another region", "config", "set", "region", near[0] ?? "us-central1")],
        details: { ...details, regions: near.length > 0 ? near : regions },
      });
    },
  },
];

function fixByEnabling(project: string, names: readonly string[]): Finding["fix"] {
  const apis = names.length === 1 ? names[0] : `${names.length} APIs`;
  return {
    question: `Enable ${names.join(", ")} in project ${project}?`,
    running: `Enabling ${apis}`,
    done: `Enabled ${apis}`,
    plan: planEnabling(project, names).map(requestLine),
    apply: async ({ client, context }) => enableApis(await client(), project, names, context.signal),
  };
}

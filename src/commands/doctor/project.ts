import { enableApis, planEnabling } from "../../cloud/api/enable-apis.ts";
import { requestLine } from "../../cloud/api/client.ts";
import { CliError } from "../../errors/cli-error.ts";
import { ignoreMissing, fail, need, ok, skip, warn, type Check, type Finding } from "./check.ts";
import type { World } from "./facts.ts";

/** Without these there is no road; without the others some of its sides are closed. */
const NEEDED = ["run.googleapis.com", "cloudbuild.googleapis.com", "artifactregistry.googleapis.com", "storage.googleapis.com"];
const USEFUL = [
  "cloudresourcemanager.googleapis.com",
  "iam.googleapis.com",
  "iamcredentials.googleapis.com",
  "logging.googleapis.com",
  "serviceusage.googleapis.com",
];

export const projectChecks: readonly Check[] = [
  {
    name: "project",
    async run(world) {
      const { settings } = world.context;
      const { value, source } = settings.get("project") ?? {};
      // Says how a project is set, where none is.
      const id = settings.require("project");
      try {
        const { number } = await world.project();
        const details = { project: value, source, number: number ?? null };
        if (number !== undefined) return ok(`${id} (number ${number}) is active; it is set by ${source}.`, { details });
        return warn(`${id} is set by ${source}, and cannot be looked at: the Cloud Resource Manager API is not enabled.`, {
          ...enabling(id, ["cloudresourcemanager.googleapis.com"]),
          details,
        });
      } catch (error) {
        if (!(error instanceof CliError) || error.code !== "PERMISSION_DENIED") throw error;
        const who = await whoIs(world);
        return fail("PERMISSION_DENIED", `There is no project ${id}, or ${who} may not see it; it is set by ${source}.`, {
          remedy: "gcloud projects list",
          details: { ...error.details, project: id, source },
        });
      }
    },
  },
  {
    name: "billing",
    async run(world) {
      const { id } = await need("project", world.project());
      const client = await world.client();
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
    async run(world) {
      const { id } = await need("project", world.project());
      const url = new URL(`https://serviceusage.googleapis.com/v1/projects/${id}/services:batchGet`);
      for (const name of [...NEEDED, ...USEFUL]) url.searchParams.append("names", `projects/${id}/services/${name}`);
      const client = await world.client();
      const { services = [] } = (await client.call({ method: "GET", url: url.href })) as {
        readonly services?: readonly { readonly name: string; readonly state?: string }[];
      };
      const enabled = services.filter(({ state }) => state === "ENABLED").map(({ name }) => name.split("/").at(-1));
      const missing = (names: readonly string[]) => names.filter((name) => !enabled.includes(name));
      const [needed, useful] = [missing(NEEDED), missing(USEFUL)];
      const all = [...needed, ...useful];
      if (all.length === 0) return ok("All that are needed are enabled.", { details: { enabled } });
      const more = { ...enabling(id, all), details: { enabled, missing: all } };
      if (needed.length > 0) return fail("PERMISSION_DENIED", `Not enabled in ${id}: ${all.join(", ")}.`, more);
      return warn(`Not enabled in ${id}, and needed now and then: ${useful.join(", ")}.`, more);
    },
  },
  {
    name: "region",
    async run(world) {
      const { region, project } = await need("project", world.place());
      await need("project", world.project());
      const url = `https://run.googleapis.com/v1/projects/${project}/locations`;
      const client = await world.client();
      const { locations = [] } = (await client.call({ method: "GET", url })) as {
        readonly locations?: readonly { readonly locationId?: string }[];
      };
      const regions = locations.flatMap(({ locationId }) => locationId ?? []);
      const { source } = world.context.settings.get("region") ?? {};
      const details = { region, source };
      if (regions.includes(region)) return ok(`Cloud Run is in ${region}; the region is set by ${source}.`, { details });
      if (regions.length === 0) return skip("Cloud Run does not say where it is.", { details });
      const continent = region.split("-")[0] ?? "";
      const near = regions.filter((each) => each.startsWith(`${continent}-`));
      return fail("SETTINGS_INVALID", `Cloud Run is not in ${region}, which is set by ${source}.`, {
        remedy: `cloudrun-oauth config set region ${near[0] ?? "us-central1"}`,
        details: { ...details, regions: near.length > 0 ? near : regions },
      });
    },
  },
];

/** What mends an API that is not enabled. */
function enabling(project: string, names: readonly string[]): Pick<Finding, "remedy" | "fix"> {
  return {
    remedy: `gcloud services enable ${names.join(" ")} --project ${project}`,
    fix: {
      question: `Enable ${names.join(", ")} in project ${project}?`,
      plan: planEnabling(project, names).map(requestLine),
      apply: async ({ client, context }) => enableApis(await client(), project, names, context.signal),
    },
  };
}

/** The deployer, to begin a sentence. */
export async function whoIs({ deployer }: World): Promise<string> {
  return (await deployer().catch(ignoreMissing))?.principal?.replace(/^.*?:/, "") ?? "your account";
}

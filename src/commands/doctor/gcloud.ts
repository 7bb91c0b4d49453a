import { existsSync } from "node:fs";
import { openGcloud } from "../../cloud/gcloud/process.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { fail, gcloudStep, ok, skip, warn, type Check } from "./check.ts";
import { oncePerRun, type Facts } from "./facts.ts";
import { requireFact } from "./require-fact.ts";

/** The oldest major version with all flags that we use, of 2022. */
const MIN_VERSION = 400;
const NOT_INSTALLED = "gcloud isn't installed.";

/** Checks gcloud itself. The other groups send its requests to Google's APIs, with its account. */
export const gcloudChecks: readonly Check[] = [
  {
    name: "gcloud",
    async run(facts) {
      const { gcloud, via } = facts;
      if (gcloud === undefined) {
        if (via !== "gcloud") return skip("gcloud isn't installed; using the API (OK).");
        const next = [nextStep("To use the API instead", "config", "set", "via", "api")];
        return fail("GCLOUD_MISSING", "gcloud isn't installed, but the setting via requires it.", { next });
      }
      try {
        const { sdk: version } = await readVersions(facts);
        const details = { path: gcloud, version };
        if (Number.parseInt(version, 10) >= MIN_VERSION) return ok(`gcloud ${version}`, { details });
        const next = [gcloudStep("To update it", "components update")];
        return warn(`gcloud ${version} is too old for some flags; use version ${MIN_VERSION} or later.`, { next, details });
      } catch (error) {
        if (!(error instanceof CliError)) throw error;
        const message = `gcloud doesn't work: ${error.message}`;
        const more = { hint: "To install it again, see https://cloud.google.com/sdk/docs/install.", details: { path: gcloud } };
        return via === "gcloud" ? fail("GCLOUD_FAILED", message, more) : warn(message, more);
      }
    },
  },
  {
    name: "gcloud-components",
    async run(facts) {
      if (facts.gcloud === undefined) return skip(NOT_INSTALLED);
      const { components } = await requireFact("gcloud", readVersions(facts));
      const details = { components };
      // Without a terminal, gcloud fails instead of asking: https://cloud.google.com/sdk/gcloud/reference/components/install
      if (components.includes("beta")) return ok("gcloud beta is installed.", { details });
      const next = [gcloudStep("To install it", "components install beta")];
      return warn("gcloud beta isn't installed, so scripts that use it fail or ask to install it.", { next, details });
    },
  },
  {
    name: "gcloud-account",
    async run(facts) {
      const { gcloud, via, context } = facts;
      if (gcloud === undefined) return skip(NOT_INSTALLED);
      const { env, settings } = context;
      if (env["CLOUDRUN_OAUTH_EMULATOR"] && !existsSync(env["CLOUDSDK_CONFIG"] ?? ""))
        return ok("gcloud signs in to the emulator on first use.");
      const { core = {}, auth = {} } = await requireFact("gcloud", readConfiguration(facts));
      const { account, project } = core;
      const as = auth.impersonate_service_account;
      const details = { account: account ?? null, project: project ?? null, impersonated: as ?? null };
      if (!account) {
        const more = { next: [gcloudStep("To sign in", "auth login")], details };
        if (via === "gcloud") return fail("CREDENTIALS_MISSING", "No account is active in gcloud.", more);
        return warn("No account is active in gcloud. Commands use the API instead.", more);
      }
      const set = settings.get("project")?.value;
      if (project && set && project !== set) {
        const next = [gcloudStep("To use the same project", `config set project ${set}`)];
        return warn(`gcloud uses project ${project}, but cloudrun-oauth uses project ${set}.`, { next, details });
      }
      return ok(`Signed in to gcloud as ${account}${as ? `, impersonating ${as}` : ""}.`, { details });
    },
  },
];

interface Versions {
  readonly sdk: string;
  readonly components: readonly string[];
}

const readVersions = oncePerRun(async (facts): Promise<Versions> => {
  const versions = parse(await runGcloud(facts, ["version", "--format=json"])) as Readonly<Record<string, unknown>>;
  const sdk = versions["Google Cloud SDK"];
  if (typeof sdk !== "string") throw unexpectedOutput();
  return { sdk, components: Object.keys(versions).filter((name) => name !== "Google Cloud SDK") };
});

interface Configuration {
  readonly core?: { readonly account?: string; readonly project?: string };
  readonly auth?: { readonly impersonate_service_account?: string };
}

async function readConfiguration(facts: Facts): Promise<Configuration> {
  return parse(await runGcloud(facts, ["config", "list", "--format=json"])) as Configuration;
}

function runGcloud({ context }: Facts, args: readonly string[]): Promise<string> {
  // Without the emulator, gcloud isn't signed in to it for the check.
  const env = { ...context.env, CLOUDRUN_OAUTH_EMULATOR: undefined };
  return openGcloud({ ...context, env })(args);
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Throws below.
  }
  throw unexpectedOutput();
}

function unexpectedOutput(): CliError {
  return new CliError("GCLOUD_FAILED", "unexpected output.");
}

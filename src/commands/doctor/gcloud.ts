import { existsSync } from "node:fs";
import { openGcloud } from "../../cloud/gcloud/process.ts";
import { CliError } from "../../errors/cli-error.ts";
import { fail, ok, skip, warn, type Check, type Finding } from "./check.ts";
import { oncePerRun, type Facts } from "./facts.ts";
import { requireFact } from "./require-fact.ts";

/** The oldest major version with all flags that we use, of 2022. */
const MIN_VERSION = 400;

const INSTALL_HINT = "See https://cloud.google.com/sdk/docs/install";

/** Checks gcloud itself. The other groups send its requests to Google's APIs, with its account. */
export const gcloudChecks: readonly Check[] = [
  {
    name: "gcloud",
    async run(facts) {
      const { gcloud, via } = facts;
      if (gcloud === undefined) {
        if (via === "gcloud")
          return fail("GCLOUD_MISSING", "gcloud is not on PATH, and the setting via says gcloud.", {
            remedy: "cloudrun-oauth config set via api",
          });
        return skip("gcloud is not on PATH: Google's APIs are gone by, and nothing is amiss.");
      }
      const details = { path: gcloud };
      try {
        const { sdk } = await readVersions(facts);
        const detailsWithVersion = { ...details, version: sdk };
        if (Number.parseInt(sdk, 10) < MIN_VERSION)
          return warn(`gcloud is of the version ${sdk}, which is too old for some flags: ${MIN_VERSION} or later is good.`, {
            remedy: "gcloud components update",
            details: detailsWithVersion,
          });
        return ok(`gcloud ${sdk}`, { details: detailsWithVersion });
      } catch (error) {
        if (!(error instanceof CliError)) throw error;
        return failOrWarn(via, `gcloud does not work: ${error.message}`, details);
      }
    },
  },
  {
    name: "gcloud-components",
    async run(facts) {
      if (facts.gcloud === undefined) return skip("gcloud is not on PATH.");
      const { components } = await requireFact("gcloud", readVersions(facts));
      const details = { components };
      // Without a terminal, gcloud fails instead of asking: https://cloud.google.com/sdk/gcloud/reference/components/install
      if (components.includes("beta")) return ok("gcloud beta is installed.", { details });
      return warn("gcloud beta is not installed: a script that says gcloud beta stops to ask about it.", {
        remedy: "gcloud components install beta",
        details,
      });
    },
  },
  {
    name: "gcloud-account",
    async run(facts) {
      const { gcloud, via, context } = facts;
      if (gcloud === undefined) return skip("gcloud is not on PATH.");
      const { env, settings } = context;
      if (env["CLOUDRUN_OAUTH_EMULATOR"] && !existsSync(env["CLOUDSDK_CONFIG"] ?? ""))
        return ok("gcloud is signed in to the emulator when it is first used.");
      const { core = {}, auth = {} } = await requireFact("gcloud", readConfiguration(facts));
      const { account, project } = core;
      const details = { account: account ?? null, project: project ?? null, impersonated: auth.impersonate_service_account ?? null };
      if (!account) {
        const more = { remedy: "gcloud auth login", details };
        return via === "gcloud"
          ? fail("CREDENTIALS_MISSING", "No account is active in gcloud.", more)
          : warn("No account is active in gcloud; it is not needed, since Google's APIs are gone by.", more);
      }
      const set = settings.get("project")?.value;
      if (project && set && project !== set)
        return warn(`gcloud is signed in as ${account}, and its own project is ${project}, where ours is ${set}.`, {
          remedy: `gcloud config set project ${set}`,
          details,
        });
      const as = auth.impersonate_service_account;
      return ok(`gcloud is signed in as ${account}${as ? `, and acts as ${as}` : ""}.`, { details });
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
  return new CliError("GCLOUD_FAILED", "what it prints is not what gcloud prints.");
}

function failOrWarn(via: Facts["via"], message: string, details: object): Finding {
  const more = { remedy: INSTALL_HINT, details: { ...details } };
  return via === "gcloud" ? fail("GCLOUD_FAILED", message, more) : warn(message, more);
}

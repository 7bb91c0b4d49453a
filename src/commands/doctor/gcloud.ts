import { existsSync } from "node:fs";
import { openGcloud } from "../../cloud/gcloud/process.ts";
import { CliError } from "../../errors/cli-error.ts";
import { fail, need, ok, skip, warn, type Check, type Finding } from "./check.ts";
import type { World } from "./facts.ts";

/** The oldest that has all the flags which are used; it is of 2022. */
const OLDEST = 400;

const INSTALL = "See https://cloud.google.com/sdk/docs/install";

/** Its own health. What it would do for the control plane is asked of Google's APIs, with its account. */
export function createGcloudChecks(): readonly Check[] {
  const known = new WeakMap<World, Promise<Versions>>();
  const versions = (world: World): Promise<Versions> => {
    const asked = known.get(world) ?? readVersions(world);
    known.set(world, asked);
    return asked;
  };
  return [
    {
      name: "gcloud",
      async run(world) {
        const { gcloud, via } = world;
        if (gcloud === undefined) {
          if (via === "gcloud")
            return fail("GCLOUD_MISSING", "gcloud is not on PATH, and the setting via says gcloud.", {
              remedy: "cloudrun-oauth config set via api",
            });
          return skip("gcloud is not on PATH: Google's APIs are gone by, and nothing is amiss.");
        }
        const details = { path: gcloud };
        try {
          const { sdk } = await versions(world);
          const found = { ...details, version: sdk };
          if (Number.parseInt(sdk, 10) < OLDEST)
            return warn(`gcloud is of the version ${sdk}, which is too old for some flags: ${OLDEST} or later is good.`, {
              remedy: "gcloud components update",
              details: found,
            });
          return ok(`gcloud ${sdk}`, { details: found });
        } catch (error) {
          if (!(error instanceof CliError)) throw error;
          return broken(via, `gcloud does not work: ${error.message}`, details);
        }
      },
    },
    {
      name: "gcloud-components",
      async run(world) {
        if (world.gcloud === undefined) return skip("gcloud is not on PATH.");
        const { components } = await need("gcloud", versions(world));
        const details = { components };
        // https://cloud.google.com/sdk/gcloud/reference/components/install: without a terminal, it does not ask, and fails.
        if (components.includes("beta")) return ok("gcloud beta is installed.", { details });
        return warn("gcloud beta is not installed: a script that says gcloud beta stops to ask about it.", {
          remedy: "gcloud components install beta",
          details,
        });
      },
    },
    {
      name: "gcloud-account",
      async run(world) {
        const { gcloud, via, context } = world;
        if (gcloud === undefined) return skip("gcloud is not on PATH.");
        const { env, settings } = context;
        if (env["CLOUDRUN_OAUTH_EMULATOR"] && !existsSync(env["CLOUDSDK_CONFIG"] ?? ""))
          return ok("gcloud is signed in to the emulator when it is first used.");
        const { core = {}, auth = {} } = await need("gcloud", readConfiguration(world));
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
}

interface Versions {
  readonly sdk: string;
  readonly components: readonly string[];
}

async function readVersions(world: World): Promise<Versions> {
  const versions = parse(await run(world, ["version", "--format=json"])) as Readonly<Record<string, unknown>>;
  const sdk = versions["Google Cloud SDK"];
  if (typeof sdk !== "string") throw garbage();
  return { sdk, components: Object.keys(versions).filter((name) => name !== "Google Cloud SDK") };
}

interface Configuration {
  readonly core?: { readonly account?: string; readonly project?: string };
  readonly auth?: { readonly impersonate_service_account?: string };
}

async function readConfiguration(world: World): Promise<Configuration> {
  return parse(await run(world, ["config", "list", "--format=json"])) as Configuration;
}

function run({ context }: World, line: readonly string[]): Promise<string> {
  // It is looked at as it is: nobody is signed in for that.
  const env = { ...context.env, CLOUDRUN_OAUTH_EMULATOR: undefined };
  return openGcloud({ ...context, env })(line, { isProbe: true });
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Said below.
  }
  throw garbage();
}

function garbage(): CliError {
  return new CliError("GCLOUD_FAILED", "what it prints is not what gcloud prints.");
}

function broken(via: World["via"], message: string, details: object): Finding {
  const more = { remedy: INSTALL, details: { ...details } };
  return via === "gcloud" ? fail("GCLOUD_FAILED", message, more) : warn(message, more);
}

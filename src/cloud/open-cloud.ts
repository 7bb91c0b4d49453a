import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { CloudContext } from "./cloud-context.ts";
import { CliError } from "../errors/cli-error.ts";
import type { Cloud } from "./cloud.ts";
import { offerEnabling } from "./offer-enabling.ts";

/** The control plane for a command: the same as `chooseCloud`, and it offers to enable an API that is missing. */
export async function openCloud(context: CloudContext): Promise<Cloud> {
  return offerEnabling(await chooseCloud(context), context);
}

/** The control plane by `--via`: gcloud where it is installed unless said otherwise. GCLOUD_MISSING where it was asked for and is not there. */
export async function chooseCloud(context: CloudContext): Promise<Cloud> {
  const found = findGcloud(context.env);
  const via = context.settings.get("via")?.value ?? (found ? "gcloud" : "api");
  if (via === "gcloud") {
    if (!found)
      throw new CliError("GCLOUD_MISSING", "gcloud is not on PATH.", {
        hint: "Install it from https://cloud.google.com/sdk/docs/install, or do without: --via api",
      });
    return (await import("./gcloud/gcloud.ts")).createGcloudCloud(context);
  }
  context.terminal.debug(found ? "going by Google's APIs, as --via says" : "gcloud is not on PATH: going by Google's APIs");
  return (await import("./api/api.ts")).createApiCloud(context);
}

/** Where gcloud is on PATH. */
export function findGcloud(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const names = env.PATHEXT ? ["gcloud.cmd", "gcloud.exe"] : ["gcloud"];
  const paths = (env.PATH ?? env.Path ?? "").split(delimiter).filter(Boolean);
  return paths.flatMap((path) => names.map((name) => join(path, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { CloudContext } from "./cloud-context.ts";
import type { Cloud } from "./cloud.ts";
import { gcloudMissing } from "./gcloud/errors.ts";
import { offerEnabling } from "./offer-enabling.ts";

type Environment = CloudContext["env"];

/** The control plane for a command; it offers to enable an API that is missing. Throws GCLOUD_MISSING for `--via gcloud` without gcloud. */
export async function openCloud(context: CloudContext): Promise<Cloud> {
  return offerEnabling(await openBackEnd(context, chooseBackEnd(context)), context);
}

/** The control plane for a lookup that has little time and asks nothing. Throws as `openCloud` does. */
export async function openCloudForLookup(context: CloudContext): Promise<Cloud> {
  // With a key file, Google's APIs respond long before gcloud has started; without one, gcloud might be signed in.
  return openBackEnd(context, context.env.GOOGLE_APPLICATION_CREDENTIALS ? "api" : chooseBackEnd(context));
}

/** The value of `--via`, or else gcloud if it is installed, or else Google's APIs. */
export function chooseBackEnd({ env, settings }: Pick<CloudContext, "env" | "settings">): Cloud["via"] {
  const via = settings.get("via")?.value;
  if (via === "gcloud" || via === "api") return via;
  return findGcloud(env) ? "gcloud" : "api";
}

export function findGcloud(env: Environment): string | undefined {
  const names = env.PATHEXT ? ["gcloud.cmd", "gcloud.exe"] : ["gcloud"];
  const folders = (env.PATH ?? env.Path ?? "").split(delimiter).filter(Boolean);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
}

async function openBackEnd(context: CloudContext, via: Cloud["via"]): Promise<Cloud> {
  const isInstalled = findGcloud(context.env) !== undefined;
  if (via === "gcloud") {
    if (!isInstalled) throw gcloudMissing();
    return (await import("./gcloud/gcloud.ts")).createGcloudCloud(context);
  }
  context.terminal.debug(isInstalled ? "Using Google's APIs (--via api)." : "Using Google's APIs (gcloud isn't installed).");
  return (await import("./api/api.ts")).createApiCloud(context);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

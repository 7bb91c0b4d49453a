import { setTimeout as sleep } from "node:timers/promises";
import { openApiClient } from "../cloud/api-client.ts";
import type { Cloud } from "../cloud/cloud.ts";
import { enableApis } from "../cloud/enable.ts";
import { openGcloud } from "../cloud/gcloud-process.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";

/** Milliseconds; an API that has just been enabled is not known to be so everywhere. */
const PAUSE = 5000;
const MOST_ATTEMPTS = 8;

/** Does something; where an API is not enabled for it, offers to enable that and goes on. Where nobody can answer, `--yes` does. */
export async function enabling<T>(context: Context, cloud: Cloud, project: string, work: () => Promise<T>): Promise<T> {
  const enabled = new Set<string>();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const api = missingApi(error);
      if (api === undefined || attempt === MOST_ATTEMPTS) throw error;
      if (enabled.has(api)) await sleep(PAUSE, undefined, { signal: context.signal }).catch(() => context.signal.throwIfAborted());
      else await enable(context, cloud, project, api, error as CliError);
      enabled.add(api);
    }
  }
}

function missingApi(error: unknown): string | undefined {
  if (!(error instanceof CliError) || error.details["reason"] !== "API_NOT_ENABLED") return undefined;
  const { api } = error.details;
  return typeof api === "string" ? api : undefined;
}

async function enable(context: Context, cloud: Cloud, project: string, api: string, error: CliError): Promise<void> {
  if (!(await isWanted(context, `Enable ${api} in project ${project}?`, error))) throw error;
  await context.terminal.task(`Enabling ${api}`, async () => {
    if (cloud.via === "gcloud") await openGcloud(context)(["services", "enable", api, "--project", project, "--quiet"]);
    else await enableApis(openApiClient(context, { project, region: "global" }), project, [api], context.signal);
  });
}

async function isWanted({ terminal }: Context, question: string, error: CliError): Promise<boolean> {
  try {
    return await terminal.confirm(question);
  } catch (problem) {
    if (!(problem instanceof CliError && problem.code === "USAGE")) throw problem;
    throw new CliError(error.code, error.message, { hint: `${error.hint}, or say --yes`, cause: error.cause, details: error.details });
  }
}

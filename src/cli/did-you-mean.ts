import type { Service } from "../cloud/cloud.ts";
import { REGIONS } from "../settings/regions.ts";
import type { Context } from "../context/context.ts";
import { CliError } from "../errors/cli-error.ts";
import { closestMatch } from "../errors/closest-match.ts";

/** An error that ends a command, with what may have been meant as its hint: another service or another region. Others are left as they are. */
export async function withSuggestion(error: unknown, context: Context): Promise<unknown> {
  if (!(error instanceof CliError) || context.signal.aborted) return error;
  const region = context.settings.get("region")?.value;
  if (region !== undefined && !REGIONS.includes(region) && tells(error, region)) return error.with({ hint: regionHint(region) });
  if (error.code !== "NOT_FOUND" || error.subject?.kind !== "service" || region === undefined) return error;
  const hint = await serviceHint(context, error.subject.name, region);
  return hint === undefined ? error : error.with({ hint });
}

/** Whether the region is what the error is about. */
function tells({ code, message, cause }: CliError, region: string): boolean {
  return !["USAGE", "SETTINGS_INVALID"].includes(code) && `${message} ${cause instanceof Error ? cause.message : ""}`.includes(region);
}

function regionHint(region: string): string {
  const near = closestMatch(region, REGIONS);
  return `Cloud Run has no region ${region}, unless it is a new one.${near ? ` Did you mean ${near}?` : ""} It has ${REGIONS.length} at https://cloud.google.com/run/docs/locations`;
}

/** One more request: the services that there are. */
async function serviceHint(context: Context, service: string, region: string): Promise<string | undefined> {
  const project = context.settings.get("project")?.value;
  if (project === undefined) return undefined;
  const cloud = await context.cloud();
  const services = await cloud.list({ project }).catch((): readonly Service[] | undefined => undefined);
  if (services === undefined) return undefined;
  if (services.length === 0) return `Project ${project} has no services yet. Deploy one: cloudrun-oauth deploy ${service}`;
  const elsewhere = services.filter((other) => other.service === service).map((other) => other.region);
  if (elsewhere.length > 0)
    return `It is not in ${region} of project ${project}, but in ${elsewhere.join(", ")}: say --region ${elsewhere[0]}`;
  const here = services.filter((other) => other.region === region);
  const near = find(service, here) ?? find(service, services);
  if (!near) return undefined;
  return `Did you mean ${near.service}${near.region === region ? "" : ` in ${near.region}`}? All that there are: cloudrun-oauth list`;
}

function find(service: string, services: readonly Service[]): Service | undefined {
  const near = closestMatch(
    service,
    services.map((other) => other.service),
  );
  return services.find((other) => other.service === near);
}

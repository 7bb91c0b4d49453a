import type { Service } from "../cloud/service.ts";
import type { Context } from "../context/context.ts";
import { CliError } from "../errors/cli-error.ts";
import { closestMatch } from "../errors/closest-match.ts";
import { ignoreCliError } from "../errors/ignore-cli-error.ts";
import { nextStep, type NextStep } from "../errors/next-step.ts";
import { REGIONS } from "../settings/regions.ts";

/**
 * If an error that ends a command is about a region or a service that doesn't exist, the error with the region or the service that the user
 * probably meant as its hint; else the error itself.
 */
export async function withSuggestion(error: unknown, context: Context): Promise<unknown> {
  if (!(error instanceof CliError) || context.signal.aborted) return error;
  const region = context.settings.get("region")?.value;
  if (region !== undefined && !REGIONS.includes(region) && mentionsRegion(error, region)) return error.with({ hint: regionHint(region) });
  if (error.code !== "NOT_FOUND" || error.subject?.kind !== "service" || region === undefined) return error;
  return error.with(await suggestService(context, error.subject.name, region));
}

function mentionsRegion({ code, message, cause }: CliError, region: string): boolean {
  return !["USAGE", "SETTINGS_INVALID"].includes(code) && `${message} ${cause instanceof Error ? cause.message : ""}`.includes(region);
}

function regionHint(region: string): string {
  const match = closestMatch(region, REGIONS);
  return `Unknown region "${region}".${match ? ` Did you mean ${match}?` : ""} Regions: https://cloud.google.com/run/docs/locations`;
}

/** Lists the project's services, which is one more request. */
async function suggestService(context: Context, name: string, region: string): Promise<{ hint?: string; next?: readonly NextStep[] }> {
  const project = context.settings.get("project")?.value;
  if (project === undefined) return {};
  const services = await (await context.cloud()).list({ project }).catch(ignoreCliError);
  if (services === undefined) return {};
  if (services.length === 0)
    return { hint: `Project ${project} has no services.`, next: [nextStep("To deploy the service", "deploy", name)] };
  const otherRegions = services.filter(({ service }) => service === name).map((service) => service.region);
  if (otherRegions.length > 0) return { hint: `It exists in ${otherRegions.join(", ")}. Pass --region ${otherRegions[0]}.` };
  const namesIn = (isWanted: (service: Service) => boolean) => services.filter(isWanted).map(({ service }) => service);
  const match =
    closestMatch(
      name,
      namesIn((service) => service.region === region),
    ) ??
    closestMatch(
      name,
      namesIn(() => true),
    );
  const regions = services.filter(({ service }) => service === match).map((service) => service.region);
  return match === undefined ? {} : { hint: `Did you mean "${match}"${regions.includes(region) ? "" : ` in ${regions[0]}`}?` };
}

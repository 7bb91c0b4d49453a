import type { Settings } from "../settings/settings.ts";

export interface ProjectName {
  readonly project: string;
}

/** Every call names its project and region: no command relies on gcloud's own defaults. */
export interface Place extends ProjectName {
  readonly region: string;
}

export interface ServiceName extends Place {
  readonly service: string;
}

/** The project and region that the settings name. Throws USAGE if either is missing, SETTINGS_INVALID if it isn't valid. */
export function requirePlace(settings: Pick<Settings, "require">): Place {
  return { project: settings.require("project"), region: settings.require("region") };
}

export function requireServiceName(settings: Pick<Settings, "require">, service?: string): ServiceName {
  return { service: settings.require("service", service), ...requirePlace(settings) };
}

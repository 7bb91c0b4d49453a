import { CREDENTIAL_VARIABLES } from "./inline-credentials.ts";

/** Where a setting comes from besides its flag, the project file, and the profile, which have it under its own name. */
export interface SettingSource {
  /** Environment variables; the first that isn't empty counts. */
  readonly environment: readonly string[];
  /** Its name in gcloud's configuration. */
  readonly gcloud?: readonly [section: string, property: string];
  readonly fallback?: string;
  /** True if the value is a path, which is relative to the place where it was written. */
  readonly isPath?: boolean;
  /** True if an environment variable can hold the file's content instead of its path. */
  readonly canBeInline?: boolean;
  /** The flag's name in camel case, if it isn't the setting's. */
  readonly flag?: string;
}

export const SETTING_SOURCES = {
  project: {
    environment: ["CLOUDRUN_OAUTH_PROJECT", "PROJECT_ID", "GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"],
    gcloud: ["core", "project"],
  },
  region: {
    environment: ["CLOUDRUN_OAUTH_REGION", "GOOGLE_CLOUD_REGION", "CLOUDSDK_RUN_REGION"],
    gcloud: ["run", "region"],
    fallback: "us-central1",
  },
  service: { environment: ["CLOUDRUN_OAUTH_SERVICE", "SERVICE_NAME"] },
  image: { environment: ["CLOUDRUN_OAUTH_IMAGE"] },
  template: { environment: ["CLOUDRUN_OAUTH_TEMPLATE"], fallback: "hono" },
  credentials: { environment: CREDENTIAL_VARIABLES, isPath: true, canBeInline: true },
  impersonate: { environment: ["CLOUDRUN_OAUTH_IMPERSONATE_SERVICE_ACCOUNT"], flag: "impersonateServiceAccount" },
  member: { environment: ["CLOUDRUN_OAUTH_MEMBER", "SERVICE_ACCOUNT_EMAIL"] },
  url: { environment: ["CLOUDRUN_OAUTH_URL", "CLOUD_RUN_SERVICE_URL"] },
  via: { environment: ["CLOUDRUN_OAUTH_VIA"] },
  engine: { environment: ["CLOUDRUN_OAUTH_ENGINE"], fallback: "auto" },
} as const satisfies Record<string, SettingSource>;

export type SettingName = keyof typeof SETTING_SOURCES;

export const SETTING_NAMES = Object.keys(SETTING_SOURCES) as SettingName[];

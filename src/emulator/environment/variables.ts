import { AUTHORITY_VARIABLES } from "./authorities.ts";
import { callerEmail, emulatorFiles } from "./files.ts";

interface EnvironmentOptions {
  readonly url: string;
  readonly directory: string;
  readonly project: string;
  readonly region: string;
}

/** The environment variables that point gcloud, curl and Google's clients to the emulator. Null means that a variable must not be set. */
export function shellEnvironment({ url, directory, project, region }: EnvironmentOptions): Record<string, string | null> {
  const { authorities, added, cache, gcloud, operator, caller: callerFile } = emulatorFiles(directory, project);
  return {
    CLOUDRUN_OAUTH_EMULATOR: url,
    CLOUDRUN_OAUTH_CACHE_DIR: cache,
    ...clientVariables({ http: url, https: url, authorities, added }),
    ALL_PROXY: null,
    all_proxy: null,

    CLOUDSDK_CONFIG: gcloud,
    CLOUDSDK_CORE_PROJECT: project,
    CLOUDSDK_RUN_REGION: region,
    CLOUDSDK_CORE_DISABLE_PROMPTS: "1",
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: "true",
    CLOUDSDK_CORE_CHECK_GCE_METADATA: "false",
    CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: "true",
    CLOUDSDK_SURVEY_DISABLE_PROMPTS: "true",
    // The user's own credentials and accounts must not take precedence over the emulator's operator.
    CLOUDSDK_ACTIVE_CONFIG_NAME: null,
    CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: null,
    CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE: null,
    CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT: null,
    CLOUDSDK_CORE_ACCOUNT: null,
    GOOGLE_GHA_CREDS_PATH: null,

    GOOGLE_CLOUD_PROJECT: project,
    GOOGLE_CLOUD_REGION: region,
    GOOGLE_APPLICATION_CREDENTIALS: operator,
    PROJECT_ID: project,
    CREDS: callerFile,
    SERVICE_ACCOUNT_EMAIL: callerEmail(project),
  };
}

/** The environment variables that point an instance to the emulator, and to its own metadata server at `metadata` (`127.0.0.1:PORT`). */
export function instanceEnvironment({
  url,
  metadata,
  ...trusted
}: AuthorityFiles & { url: string; metadata: string }): Record<string, string> {
  return {
    // Requests to http://metadata.google.internal reach the instance's own metadata server through its proxy.
    ...clientVariables({ http: `http://${metadata}`, https: url, ...trusted }),
    GCE_METADATA_HOST: metadata,
    GCE_METADATA_IP: metadata,
    GCE_METADATA_ROOT: metadata,
  };
}

interface AuthorityFiles {
  readonly authorities: string;
  readonly added: string;
}

/** The variables that make HTTP clients use a proxy and trust the emulator's certificate authority. */
function clientVariables({ http, https, authorities, added }: AuthorityFiles & { http: string; https: string }): Record<string, string> {
  const noProxy = "localhost,127.0.0.1,::1";
  return {
    HTTPS_PROXY: https,
    HTTP_PROXY: http,
    https_proxy: https,
    http_proxy: http,
    NO_PROXY: noProxy,
    no_proxy: noProxy,
    NODE_USE_ENV_PROXY: "1",
    ...Object.fromEntries(AUTHORITY_VARIABLES.map((name) => [name, authorities])),
    // Node reads this file at each start, even of programs without TLS: with the public authorities in it, a start would take twice as
    // long.
    NODE_EXTRA_CA_CERTS: added,
  };
}

/** An environment without the variables that point to an emulator: another emulator that starts in it must not use this one as its proxy. */
export function removeEmulatorVariables(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const url = env["CLOUDRUN_OAUTH_EMULATOR"];
  if (!url) return { ...env };
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => value !== url && !AUTHORITY_VARIABLES.includes(name)));
}

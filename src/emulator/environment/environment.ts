import { readFileSync } from "node:fs";
import { join } from "node:path";
import { rootCertificates } from "node:tls";

interface EnvironmentOptions {
  readonly url: string;
  readonly directory: string;
  readonly project: string;
  readonly region: string;
}

/** The account whose key file `CREDS` names. */
export function callerEmail(project: string): string {
  return `caller@${project}.iam.gserviceaccount.com`;
}

/** Where the emulator's files lie in its data directory. */
export function emulatorFiles(directory: string, project: string) {
  return {
    /** For clients whose roots such a file replaces: the public ones and the emulator's own authority, PEM. */
    authorities: join(directory, "ca-bundle.pem"),
    /** For Node, which adds such a file to its roots: the emulator's own authority, PEM. */
    added: join(directory, "ca-added.pem"),
    /** Key file of the account that gcloud is signed in as. */
    operator: join(directory, "keys", `${project}-operator.json`),
    /** Key file of the account that calls services. */
    caller: join(directory, "keys", `${project}-caller.json`),
    /** gcloud's configuration. */
    gcloud: join(directory, "gcloud", project),
    /** What the command line keeps of tokens that were issued here: nothing of them comes into the user's own cache. */
    cache: join(directory, "cache"),
  };
}

/** The variables that bring gcloud, curl and Google's clients to the emulator. Null stands for one that must not be set. */
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
    // A credential or an account of the user's own must not win over the emulator's operator.
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

/** The variables that bring an instance to the emulator, and to a metadata server of its own at `metadata` (`127.0.0.1:PORT`). */
export function instanceEnvironment({
  url,
  metadata,
  ...trusted
}: AuthorityFiles & { url: string; metadata: string }): Record<string, string> {
  return {
    // Whoever asks for http://metadata.google.internal comes by a proxy to the instance's own.
    ...clientVariables({ http: `http://${metadata}`, https: url, ...trusted }),
    GCE_METADATA_HOST: metadata,
    GCE_METADATA_IP: metadata,
    GCE_METADATA_ROOT: metadata,
  };
}

/** Two of the files of `filesOf`. */
interface AuthorityFiles {
  readonly authorities: string;
  readonly added: string;
}

/** What makes HTTP clients go by a proxy, and trust the emulator's authority. */
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
    // Node reads the file before it runs a program, whether that speaks TLS or not: the public roots would cost each start twice its time.
    NODE_EXTRA_CA_CERTS: added,
  };
}

const AUTHORITY_VARIABLES = [
  "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "SSL_CERT_FILE",
  "HTTPLIB2_CA_CERTS",
  "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
  "GIT_SSL_CAINFO",
  "NODE_EXTRA_CA_CERTS",
];

/** An environment as it was before it was brought to an emulator: an emulator that is started there must not take another for its way out. */
export function removeEmulatorVariables(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const url = env["CLOUDRUN_OAUTH_EMULATOR"];
  if (!url) return { ...env };
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => value !== url && !AUTHORITY_VARIABLES.includes(name)));
}

/**
 * PEM of the authorities to trust: in `bundle` the public roots, those that the user's own environment adds, and the emulator's; in `added`
 * the same without the public ones.
 */
export function collectAuthorities(
  authority: string,
  env: Readonly<Record<string, string | undefined>>,
): { readonly bundle: string; readonly added: string } {
  const named = new Set(AUTHORITY_VARIABLES.map((name) => env[name]).filter((file) => file !== undefined && file !== ""));
  const own = [...named].flatMap((file) => {
    try {
      return readFileSync(file as string, "utf8").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    } catch {
      // A variable that names no readable file adds nothing for any client.
      return [];
    }
  });
  // By their bytes: where their lines end is each file's own.
  const added = new Map([...own, authority.trim()].map((certificate) => [certificate.replace(/\s/g, ""), certificate]));
  if (own.length > 0) for (const root of rootCertificates) added.delete(root.replace(/\s/g, ""));
  const lines = [...added.values()];
  return { bundle: `${[...rootCertificates, ...lines].join("\n")}\n`, added: `${lines.join("\n")}\n` };
}

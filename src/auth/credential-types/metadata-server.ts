import { CliError } from "../../errors/cli-error.ts";
import type { Credentials } from "../credentials.ts";
import type { AuthContext } from "../auth-context.ts";
import { memberForEmail } from "../member.ts";
import { readClaims } from "../jwt.ts";
import { toOneLine } from "../../errors/one-line.ts";
import { parseJsonObject } from "../json-object.ts";

/** Google's address of the metadata server; saves looking up its host name. */
const METADATA_ADDRESS = "169.254.169.254";
const ACCOUNT_PATH = "computeMetadata/v1/instance/service-accounts/default";
/** Short, because the server is on the same machine. */
const TIMEOUT_MS = 5000;

/** The host of this machine's metadata server, as far as is known without a request; `product` is the firmware's name for the machine. */
export function metadataHost(env: AuthContext["env"], product: string): string | undefined {
  const named = env["GCE_METADATA_HOST"] || env["GCE_METADATA_IP"];
  if (named) return named;
  // The emulator replaces all of Google; its instances get GCE_METADATA_HOST.
  if (env["CLOUDRUN_OAUTH_EMULATOR"] || /^(?:1|true)$/i.test(env["NO_GCE_CHECK"] ?? "")) return undefined;
  return env["K_SERVICE"] || env["CLOUD_RUN_JOB"] || product.startsWith("Google") ? METADATA_ADDRESS : undefined;
}

/**
 * The service account that this machine or instance runs as. Undefined if an assumed server doesn't respond. Throws CliError
 * CREDENTIALS_MISSING if the server has no account, UNAVAILABLE if a server that GCE_METADATA_HOST names doesn't respond.
 * https://cloud.google.com/run/docs/container-contract#metadata-server
 */
export async function metadataCredentials(host: string, { send, env, now = Date.now }: AuthContext): Promise<Credentials | undefined> {
  const base = `http://${host}/${ACCOUNT_PATH}`;
  const isNamed = Boolean(env["GCE_METADATA_HOST"] || env["GCE_METADATA_IP"]);
  const invalid = new CliError("SETTINGS_INVALID", "Invalid GCE_METADATA_HOST: expected HOST or HOST:PORT.");
  if (!URL.canParse(base) || new URL(base).host === "" || new URL(base).pathname !== `/${ACCOUNT_PATH}`) throw invalid;

  const get = async (path: string) => {
    const response = await send({ method: "GET", url: `${base}/${path}`, headers: [["Metadata-Flavor", "Google"]], timeoutMs: TIMEOUT_MS });
    const text = (await response.text()).trim();
    if (response.headers["metadata-flavor"] !== "Google")
      throw new CliError("UNAVAILABLE", `${host} isn't a metadata server.`, { details: { host, status_code: response.status } });
    if (response.status === 200) return text;
    throw refused(host, path, response.status, text);
  };
  const email = await get("email").catch((error: unknown) => {
    const { code } = error as CliError;
    if (!isNamed && (code === "UNAVAILABLE" || code === "TIMEOUT")) return undefined;
    throw error;
  });
  if (email === undefined) return undefined;
  const principal = memberForEmail(email);

  return {
    principal,
    description: `${principal}, from the metadata server ${host}`,
    identity: ["metadata", host, email],
    tokenRequest: { method: "GET", url: `${base}/identity` },
    async fetchIdToken(audience) {
      // Without the format, the token would have no email claim.
      const token = await get(`identity?audience=${encodeURIComponent(audience)}&format=full`);
      if (readClaims(token)) return token;
      throw new CliError("TOKEN_REFUSED", `The metadata server ${host} returned no ID token.`);
    },
    async fetchAccessToken() {
      const requested = Math.floor(now() / 1000);
      const { access_token, expires_in } = parseJsonObject(await get("token")) ?? {};
      if (typeof access_token !== "string") throw new CliError("TOKEN_REFUSED", `The metadata server ${host} returned no access token.`);
      return { token: access_token, expires: requested + (typeof expires_in === "number" ? expires_in : 0) };
    },
  };
}

function refused(host: string, path: string, status: number, text: string): CliError {
  const details = { host, status_code: status };
  const refusalText = toOneLine(text);
  if (status >= 500 || status === 429) return new CliError("UNAVAILABLE", `The metadata server ${host} returned ${status}.`, { details });
  if (status === 404 && path === "email") {
    return new CliError("CREDENTIALS_MISSING", "According to the metadata server, no service account is attached to this instance.", {
      hint: "Attach a service account, or pass other credentials with --credentials.",
      details,
    });
  }
  const message = `The metadata server ${host} returned no token: ${refusalText || `status ${status}`}`.replace(/\.?$/, ".");
  return new CliError("TOKEN_REFUSED", message, { details });
}

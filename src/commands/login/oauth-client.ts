import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";

/** An OAuth client of type Desktop app. Its secret isn't confidential: RFC 8252, section 8.5. */
export interface OAuthClient {
  readonly id: string;
  readonly secret: string;
}

const EMULATOR_CLIENT: OAuthClient = { id: "cloudrun-oauth-emulator.apps.googleusercontent.com", secret: "emulator-desktop-app" };

const CREATE_CLIENT =
  "To create one, go to https://console.cloud.google.com/apis/credentials, select Desktop app, and download the JSON file.";

/**
 * Reads the OAuth client that a user created. This tool can't bring its own: the cloud-platform scope needs Google's verification of each client
 * (https://support.google.com/cloud/answer/13464321), and gcloud's client is gcloud's alone. gcloud offers the same flag:
 * https://cloud.google.com/sdk/gcloud/reference/auth/application-default/login
 * Throws CliError USAGE.
 */
export async function readOAuthClient({ env, cwd }: Pick<Context, "env" | "cwd">, file: string | undefined): Promise<OAuthClient> {
  if (file === undefined) {
    if (env["CLOUDRUN_OAUTH_EMULATOR"]) return EMULATOR_CLIENT;
    throw new CliError("USAGE", "No OAuth client specified. Pass --client-id-file.", { hint: CREATE_CLIENT });
  }
  const text = await readFile(resolve(cwd, file), "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new CliError("USAGE", `Can't read ${file}: ${cause.code ?? cause.message}.`, { cause });
  });
  const { client_id: id, client_secret: secret } = parseInstalled(text) ?? {};
  if (typeof id === "string" && /^[\w.-]+\.apps\.googleusercontent\.com$/.test(id) && typeof secret === "string") return { id, secret };
  throw new CliError("USAGE", `${file} isn't the JSON file for a Desktop app client.`, { hint: CREATE_CLIENT });
}

function parseInstalled(text: string): Record<string, unknown> | undefined {
  try {
    return (JSON.parse(text) as { installed?: Record<string, unknown> } | null)?.installed;
  } catch {
    return undefined;
  }
}

import { createHash, randomBytes } from "node:crypto";
import { readClaims } from "../../auth/jwt.ts";
import { memberForEmail } from "../../auth/member.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { openLoginFile } from "./login-file.ts";
import { readOAuthClient, type OAuthClient } from "./oauth-client.ts";
import { openBrowser } from "./open-browser.ts";
import { openCodeReceiver, SIGN_IN_TIMEOUT_MINUTES } from "./receive-code.ts";

interface LoginFlags {
  readonly clientIdFile?: string;
  readonly account?: string;
  /** False under `--no-browser`. */
  readonly browser: boolean;
}

const AUTHORIZATION_ENDPOINT = "https://accounts.google.com/o/oauth2/v2/auth";
const TOKEN_ENDPOINT = "https://oauth2.googleapis.com/token";
const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";
const SCOPES = ["openid", "https://www.googleapis.com/auth/userinfo.email", CLOUD_PLATFORM];
const EXCHANGE_TIMEOUT_MS = 30_000;

/**
 * Signs a person in with OAuth 2.0 for installed apps (RFC 8252, https://developers.google.com/identity/protocols/oauth2/native-app): a loopback
 * redirect, PKCE (RFC 7636), and state. Writes the login as Application Default Credentials. Throws CliError USAGE, TOKEN_REFUSED, or TIMEOUT.
 */
export async function login(context: Context, flags: LoginFlags): Promise<void> {
  const { terminal, settings, env } = context;
  const client = await readOAuthClient(context, flags.clientIdFile);
  const file = openLoginFile(env);
  if (context.dryRun)
    return printPlan(terminal, [`Sign in at ${AUTHORIZATION_ENDPOINT} with the client ${client.id}`, `Write ${file.path}`]);
  const isEmulator = Boolean(env["CLOUDRUN_OAUTH_EMULATOR"]);
  if (!isEmulator && !terminal.interactive && flags.browser)
    throw new CliError("USAGE", "Can't open a browser in a non-interactive session.", {
      hint: "To print the URL and wait for the sign-in, pass --no-browser.",
    });
  if (file.exists()) {
    terminal.note(`This replaces the Application Default Credentials in ${file.path}, which other tools use too.`);
    if (!(await terminal.confirm("Replace them?"))) return terminal.note("Nothing was changed.");
  }

  const tokens = await signIn(context, client, flags, isEmulator);
  const { email } = readClaims(tokens.id_token ?? "") ?? {};
  if (typeof email !== "string" || !tokens.refresh_token)
    throw new CliError("TOKEN_REFUSED", "The sign-in returned no refresh token or no email address.");
  if (!tokens.scope?.split(" ").includes(CLOUD_PLATFORM))
    throw new CliError("TOKEN_REFUSED", "Access to Google Cloud wasn't granted.", {
      hint: "Sign in again, and select the checkbox for Google Cloud data.",
    });
  file.write({
    type: "authorized_user",
    account: email,
    client_id: client.id,
    client_secret: client.secret,
    refresh_token: tokens.refresh_token,
    universe_domain: "googleapis.com",
  });

  if (terminal.json) return terminal.printJson({ principal: memberForEmail(email), client_id: client.id, file: file.path });
  terminal.note(`Signed in as ${email}\nSaved Application Default Credentials to ${file.path}`);
  const preferred = settings.get("credentials");
  if (preferred)
    terminal.warn(
      `invoke, token, proxy, and load still use the credentials from ${preferred.source}. To use this login, pass --credentials ${file.path}`,
    );
  // https://cloud.google.com/run/docs/authenticating/service-to-service: Cloud Run doesn't accept ID tokens for another OAuth client.
  const service = settings.get("service")?.value ?? "SERVICE";
  terminal.nextSteps([
    nextStep("To list your services", "list", "--via", "api"),
    nextStep("To call a private service", "invoke", service, "--impersonate-service-account", "SERVICE_ACCOUNT_EMAIL"),
  ]);
}

interface TokenResponse {
  readonly refresh_token?: string;
  readonly id_token?: string;
  readonly scope?: string;
  readonly error?: string;
  readonly error_description?: string;
}

async function signIn(
  context: Context,
  client: OAuthClient,
  { account, browser }: LoginFlags,
  isEmulator: boolean,
): Promise<TokenResponse> {
  const { terminal, signal, env } = context;
  const [state, verifier] = [randomBytes(32).toString("base64url"), randomBytes(32).toString("base64url")];
  const receiver = await openCodeReceiver(state);
  try {
    const url = new URL(AUTHORIZATION_ENDPOINT);
    url.search = new URLSearchParams({
      client_id: client.id,
      redirect_uri: receiver.redirectUri,
      response_type: "code",
      scope: SCOPES.join(" "),
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      state,
      access_type: "offline",
      // Without consent, Google issues no refresh token to a client that has one already.
      prompt: "consent",
      ...(account !== undefined && { login_hint: account }),
    }).toString();
    if (isEmulator) await followRedirect(context, url);
    else {
      terminal.note(`To sign in, open this URL in your browser:\n\n  ${url.href}\n`);
      if (browser) openBrowser(url.href, env);
    }
    const code = await terminal.wait(`Waiting for you to sign in (up to ${SIGN_IN_TIMEOUT_MINUTES} minutes)`, () => receiver.wait(signal));
    return await terminal.wait("Getting a refresh token", () =>
      exchangeCode(context, client, { code, verifier, redirectUri: receiver.redirectUri }),
    );
  } finally {
    receiver.close();
  }
}

/** Acts as the browser: the emulator has no sign-in page. */
async function followRedirect({ send }: Context, url: URL): Promise<void> {
  const response = await send({ method: "GET", url: url.href, headers: [["X-Cloudrun-Oauth", "emulator"]] });
  const { location } = response.headers;
  if (response.status !== 302 || location === undefined)
    throw new CliError("TOKEN_REFUSED", `The emulator rejected the sign-in with status ${response.status}.`);
  await (await send({ method: "GET", url: location })).bytes();
}

async function exchangeCode(
  { send }: Context,
  client: OAuthClient,
  { code, verifier, redirectUri }: { readonly code: string; readonly verifier: string; readonly redirectUri: string },
): Promise<TokenResponse> {
  const form = {
    grant_type: "authorization_code",
    code,
    code_verifier: verifier,
    redirect_uri: redirectUri,
    client_id: client.id,
    client_secret: client.secret,
  };
  const headers = [["Content-Type", "application/x-www-form-urlencoded"]] as const;
  const response = await send({
    method: "POST",
    url: TOKEN_ENDPOINT,
    headers,
    body: new URLSearchParams(form).toString(),
    timeoutMs: EXCHANGE_TIMEOUT_MS,
  });
  const tokens = (await response.json().catch(() => ({}))) as TokenResponse;
  if (response.status === 200) return tokens;
  const { error = `status ${response.status}`, error_description: description } = tokens;
  const details = { error, error_description: description, status_code: response.status };
  throw new CliError(
    "TOKEN_REFUSED",
    `Google rejected the sign-in: ${error}${description ? `: ${description}` : ""}`.replace(/\.?$/, "."),
    {
      details,
      ...(error === "invalid_client" && { hint: "Check the client secret in the file passed with --client-id-file." }),
    },
  );
}

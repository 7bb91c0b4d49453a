import { createHash, randomBytes } from "node:crypto";
import type { TokenRuntime } from "../runtime.ts";
import { OAuthError } from "../server/errors.ts";
import { htmlResponse, HttpResponse } from "../server/http-response.ts";
import type { Handler } from "../server/router.ts";
import type { State } from "../state/state.ts";
import { createRefreshToken, ensureUser } from "./logins.ts";
import { issueUserTokens } from "./refresh-token.ts";
import type { User } from "./users.ts";

/** A sign-in whose code wasn't exchanged yet. */
interface AuthorizationCode {
  readonly user: User;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly codeChallenge: string;
  readonly scopes: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/** In memory only: they last for ten minutes. */
const codesByState = new WeakMap<State, Map<string, AuthorizationCode>>();

const CODE_LIFETIME_MS = 10 * 60_000;
/** RFC 8252, section 7.3: an installed app receives the code on a loopback port. */
const LOOPBACK_REDIRECT = /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?(?:\/|$)/;

/** The authorization endpoint for installed apps: https://developers.google.com/identity/protocols/oauth2/native-app */
export function createAuthorizationEndpoint({ state, now }: TokenRuntime): Handler {
  return ({ query, headers }) => {
    const parameter = (name: string) => query.get(name) ?? "";
    // Unlike Cloud Run: the sign-in has no page; a header that no web page can send replaces the browser's session.
    if (headers["x-cloudrun-oauth"] !== "emulator") return errorPage("access_denied", "To sign in, run: cloudrun-oauth --emulator login");
    const [clientId, redirectUri, codeChallenge] = [parameter("client_id"), parameter("redirect_uri"), parameter("code_challenge")];
    // Unlike Cloud Run: every client ID is registered, and its secret is the one that the code is exchanged with.
    if (!/^[\w.-]+\.apps\.googleusercontent\.com$/.test(clientId)) return errorPage("invalid_client", "The OAuth client was not found.");
    if (!LOOPBACK_REDIRECT.test(redirectUri)) return errorPage("redirect_uri_mismatch", "The redirect URI isn't a loopback address.");
    if (parameter("response_type") !== "code" || parameter("scope") === "" || !/^[\w-]{43}$/.test(codeChallenge))
      return errorPage("invalid_request", "A required parameter is missing or invalid.");
    // Unlike Cloud Run: PKCE is required, and only with S256.
    if (parameter("code_challenge_method") !== "S256") return errorPage("invalid_request", "Use code_challenge_method S256.");

    const answer = new URL(redirectUri);
    if (query.has("state")) answer.searchParams.set("state", parameter("state"));
    const user = findUser(state, parameter("login_hint"));
    if (user) {
      const code = `4/emulator-${randomBytes(32).toString("base64url")}`;
      const scopes = parameter("scope").split(" ");
      codesOf(state).set(code, { user, clientId, redirectUri, codeChallenge, scopes, expires: now() + CODE_LIFETIME_MS });
      answer.searchParams.set("code", code);
      answer.searchParams.set("scope", scopes.join(" "));
    } else {
      answer.searchParams.set("error", "access_denied");
    }
    return new HttpResponse(302, { location: answer.href, "cache-control": "no-store" });
  };
}

function codesOf(state: State): Map<string, AuthorizationCode> {
  const codes = codesByState.get(state) ?? new Map<string, AuthorizationCode>();
  codesByState.set(state, codes);
  return codes;
}

// Unlike Cloud Run: an account that doesn't exist is created; without a hint, the first person signs in.
function findUser(state: State, hint: string): User | undefined {
  if (hint === "") return state.users.list()[0];
  try {
    return ensureUser(state, hint);
  } catch {
    return undefined;
  }
}

function errorPage(error: string, text: string): HttpResponse {
  return htmlResponse(`<!doctype html><title>Error 400: ${error}</title><p>${text}</p>\n`, 400);
}

/** `authorization_code` (RFC 6749, section 4.1.3, and RFC 7636, section 4.6): exchanges a code, once, for a person's login. */
export async function grantForCode(form: URLSearchParams, runtime: TokenRuntime): Promise<object> {
  const { state, now } = runtime;
  const readParameter = (name: string): string => {
    const value = form.get(name);
    if (!value) throw new OAuthError("invalid_request", `Missing required parameter: ${name}`);
    return value;
  };
  const [code, clientId, clientSecret] = [readParameter("code"), readParameter("client_id"), readParameter("client_secret")];
  const codes = codesOf(state);
  const granted = codes.get(code);
  codes.delete(code);
  if (!granted || granted.expires < now()) throw new OAuthError("invalid_grant", "Malformed auth code.");
  if (granted.clientId !== clientId) throw new OAuthError("unauthorized_client", "Unauthorized", 401);
  if (granted.redirectUri !== form.get("redirect_uri")) throw new OAuthError("redirect_uri_mismatch", "Bad Request");
  const verifier = form.get("code_verifier");
  if (!verifier) throw new OAuthError("invalid_grant", "Missing code verifier.");
  if (createHash("sha256").update(verifier).digest("base64url") !== granted.codeChallenge)
    throw new OAuthError("invalid_grant", "Invalid code verifier.");
  const { user, scopes } = granted;
  const refresh_token = createRefreshToken(state, { email: user.email, clientId, clientSecret, scopes });
  return { ...(await issueUserTokens(runtime, user, { clientId, scopes })), refresh_token };
}

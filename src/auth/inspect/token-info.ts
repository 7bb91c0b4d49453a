import { CliError } from "../../errors/cli-error.ts";
import type { Send } from "../../http/request.ts";
import { googleTimeOf } from "./verify-signature.ts";
import type { IdTokenClaims } from "../jwt.ts";

/** What Google knows about an access token; no claims if it is unknown, expired or revoked. */
interface TokenInfo {
  readonly claims: IdTokenClaims | undefined;
  /** Milliseconds since the epoch; undefined if the response has no date. */
  readonly googleTime: number | undefined;
}

const TIMEOUT_MS = 30_000;

/**
 * Asks Google about an access token. The token goes in the body, because URLs end up in logs. Throws CliError UNAVAILABLE or as `send` does.
 * https://cloud.google.com/docs/authentication/token-types#access-contents
 */
export async function fetchTokenInfo(token: string, send: Send): Promise<TokenInfo> {
  const response = await send({
    method: "POST",
    url: "https://oauth2.googleapis.com/tokeninfo",
    headers: [["Content-Type", "application/x-www-form-urlencoded"]],
    body: new URLSearchParams({ access_token: token }).toString(),
    timeoutMs: TIMEOUT_MS,
  });
  const googleTime = googleTimeOf(response);
  const text = await response.text();
  if (response.status === 400) return { claims: undefined, googleTime };
  const { exp, ...fields } = response.status === 200 ? (JSON.parse(text) as Readonly<Record<string, string>>) : {};
  if (response.status !== 200) throw new CliError("UNAVAILABLE", `oauth2.googleapis.com returned ${response.status}.`);
  // Google sends all values as strings.
  return { claims: { ...fields, email_verified: fields["email_verified"] === "true", ...(exp && { exp: Number(exp) }) }, googleTime };
}

import { audienceFor } from "../auth/audience.ts";
import { isFromIap } from "./refusal/response-author.ts";
import { CliError } from "../errors/cli-error.ts";
import type { Send } from "../http/request.ts";

export interface AudienceOptions {
  readonly audience?: string;
  /** The OAuth client of Identity-Aware Proxy; true to ask IAP for it. */
  readonly iap?: string | true;
}

/**
 * The audience of a token for a URL: the given one, the OAuth client of the Identity-Aware Proxy in front of it, or the service itself. IAP
 * redirects requests without a session, and the redirect names its client:
 * https://cloud.google.com/iap/docs/authentication-howto#authenticating_from_proxy-authorization_header
 * Throws CliError USAGE if IAP doesn't respond, or doesn't name its client.
 */
export async function chooseAudience(url: URL, { audience, iap }: AudienceOptions, { send }: { readonly send: Send }): Promise<string> {
  if (audience !== undefined && iap !== undefined)
    throw new CliError("USAGE", "--audience and --iap each say whom the token is for.", { hint: "Say one of them." });
  if (iap !== true) return iap ?? audience ?? audienceFor(url);
  const { status, headers, body } = await send({ method: "GET", url: url.href });
  body.destroy();
  const { iapClientOf } = await import("./refusal/iap.ts");
  const client = isFromIap(headers) ? iapClientOf({ headers, body: "" }) : undefined;
  if (client !== undefined) return client;
  const problem = isFromIap(headers) ? "does not say which client it takes tokens for" : `does not stand before ${url.host}`;
  throw new CliError("USAGE", `Identity-Aware Proxy ${problem}: a call without a credential was answered ${status}.`, {
    hint: isFromIap(headers) ? "Name the OAuth client: --iap CLIENT_ID" : "Call it without --iap.",
  });
}

/** The warning if a login's tokens can't have the requested audience. */
export function loginAudienceWarning(audience: string, requested: string | true): string {
  const other = requested === true ? "Identity-Aware Proxy" : requested;
  return `A person's ID token is for the client that he signed in with, ${audience}, not for ${other}.`;
}

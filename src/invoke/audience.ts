import { audienceFor } from "../auth/audience.ts";
import { isFromIap } from "./refusal/response-author.ts";
import { CliError } from "../errors/cli-error.ts";
import type { Send } from "../http/client.ts";

export interface AudienceOptions {
  readonly audience?: string;
  /** The OAuth client of Identity-Aware Proxy; true where it is to be asked for. */
  readonly iap?: string | true;
}

/**
 * Whom a token for a URL is for: whoever was named, the OAuth client of the Identity-Aware Proxy before it, or the service itself. IAP names its client to
 * whoever comes without a session, in a redirect: https://cloud.google.com/iap/docs/authentication-howto#authenticating_from_proxy-authorization_header
 * Throws CliError USAGE where no IAP answers, or it names none.
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
  const found = isFromIap(headers) ? "does not say which client it takes tokens for" : `does not stand before ${url.host}`;
  throw new CliError("USAGE", `Identity-Aware Proxy ${found}: a call without a credential was answered ${status}.`, {
    hint: isFromIap(headers) ? "Name the OAuth client: --iap CLIENT_ID" : "Call it without --iap.",
  });
}

/** What is said where a login's tokens cannot be for whom they were asked for. */
export function loginAudienceWarning(audience: string, asked: string | true): string {
  const other = asked === true ? "Identity-Aware Proxy" : asked;
  return `A person's ID token is for the client that he signed in with, ${audience}, not for ${other}.`;
}

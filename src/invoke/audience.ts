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
    throw new CliError("USAGE", "--audience and --iap can't be used together.", { hint: "Pass one of them." });
  if (iap !== true) return iap ?? audience ?? audienceFor(url);
  const { status, headers, body } = await send({ method: "GET", url: url.href });
  body.destroy();
  if (!isFromIap(headers))
    throw new CliError("USAGE", `${url.host} isn't protected by Identity-Aware Proxy (status ${status} without a credential).`, {
      hint: "Omit --iap.",
    });
  const { iapClientOf } = await import("./refusal/iap.ts");
  const client = iapClientOf({ headers, body: "" });
  if (client !== undefined) return client;
  throw new CliError("USAGE", `Identity-Aware Proxy didn't return its client ID (status ${status} without a credential).`, {
    hint: "Pass the OAuth client ID: --iap CLIENT_ID.",
  });
}

/** The warning if a login's tokens can't have the requested audience; `audience` is that of the login. */
export function loginAudienceWarning({ audience }: { readonly audience?: string }, options: AudienceOptions): string | undefined {
  const requested = options.audience ?? options.iap;
  if (requested === undefined || audience === undefined || audience === requested) return undefined;
  const name = requested === true ? "Identity-Aware Proxy" : requested;
  return `A user's ID tokens are always for the login's client, ${audience}, not for ${name}.`;
}

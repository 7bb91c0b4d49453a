import { audienceFor, isServiceHost } from "../../auth/audience.ts";
import { findCredentials } from "../../auth/find-credentials.ts";
import { readClaims } from "../../auth/jwt.ts";
import { withCache, type CacheOptions } from "../../auth/token-cache.ts";
import { chooseAudience, loginAudienceWarning, type AudienceOptions } from "../../invoke/audience.ts";
import { resolveServiceUrl } from "../../invoke/target-url.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";

interface TokenOptions extends Omit<CacheOptions, "isLongRun">, Pick<AudienceOptions, "iap"> {
  readonly header?: boolean;
}

/** Prints an ID token, with `--header` as a header line for curl; under `--json` with its audience, expiry (RFC 3339) and claims. */
export async function token(context: Context, audience: string | undefined, options: TokenOptions): Promise<void> {
  const { terminal, settings } = context;
  if (options.header && terminal.json)
    throw new CliError("USAGE", "--header prints a line for curl, and --json a document.", { hint: "Say one of them." });
  if (audience !== undefined && options.iap !== undefined)
    throw new CliError("USAGE", "An audience and --iap each say whom the token is for.", { hint: "Say one of them." });
  const credentials = withCache(await findCredentials(settings.get("credentials"), context), context, options);
  const tokenAudience = audience ?? (await chooseAudience(await resolveServiceUrl(context), options, context));
  const fitting = correctAudience(tokenAudience);
  if (fitting) terminal.warn(`Cloud Run expects its service's URL without tag and path as audience: ${fitting}`);
  terminal.debug(`credential: ${credentials.description}`);
  if (context.dryRun) return terminal.printJson({ ...credentials.tokenRequest, audience: tokenAudience, principal: credentials.principal });

  const idToken = await credentials.fetchIdToken(tokenAudience);
  terminal.mask(idToken);
  const requestedAudience = audience ?? options.iap;
  if (requestedAudience !== undefined && credentials.audience !== undefined && credentials.audience !== requestedAudience)
    terminal.warn(loginAudienceWarning(credentials.audience, requestedAudience));
  if (!terminal.json) return terminal.print(`${options.header ? "Authorization: Bearer " : ""}${idToken}\n`);
  const claims = readClaims(idToken) ?? {};
  const expires = typeof claims.exp === "number" ? new Date(claims.exp * 1000).toISOString() : null;
  terminal.printJson({ token: idToken, audience: tokenAudience, expires_at: expires, claims });
}

/** The valid audience for a service's URL with a path or tag; undefined if the audience is valid. */
function correctAudience(audience: string): string | undefined {
  if (!URL.canParse(audience)) return undefined;
  const url = new URL(audience);
  const fitting = audienceFor(url);
  return isServiceHost(url.hostname) && audience !== fitting && audience !== `${fitting}/` ? fitting : undefined;
}

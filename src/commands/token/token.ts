import { audienceFor, isServiceHost } from "../../auth/audience.ts";
import { findCredentials } from "../../auth/find-credentials.ts";
import { readClaims } from "../../auth/jwt.ts";
import { withCache, type CacheOptions } from "../../auth/token-cache.ts";
import { chooseAudience, loginAudienceWarning, type AudienceOptions } from "../../invoke/audience.ts";
import { findTargetUrls } from "../../invoke/target-url.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";

interface TokenOptions extends Omit<CacheOptions, "isLongRun">, AudienceOptions {
  readonly header?: boolean;
}

/** Prints an ID token, with `--header` as a header line for curl; under `--json` with its audience, expiry (RFC 3339) and claims. */
export async function token(context: Context, target: string | undefined, options: TokenOptions): Promise<void> {
  const { terminal, settings } = context;
  if (options.header && terminal.json) throw new CliError("USAGE", "--header and --json can't be used together.");
  if (target !== undefined && options.audience !== undefined)
    throw new CliError("USAGE", `"${target}" and --audience can't be used together.`, { hint: "Pass one of them." });
  const credentials = withCache(await findCredentials(settings.get("credentials"), context), context, options);
  const audience = await findAudience(context, target, options);
  const expected = correctAudience(audience);
  if (expected) terminal.warn(`Cloud Run expects the service URL as the audience, without a path or tag: ${expected}`);
  terminal.debug(`credential: ${credentials.description}`);
  if (context.dryRun) return terminal.printJson({ ...credentials.tokenRequest, audience, principal: credentials.principal });

  const idToken = await credentials.fetchIdToken(audience);
  terminal.mask(idToken);
  const warning = loginAudienceWarning(credentials, options);
  if (warning) terminal.warn(warning);
  if (!terminal.json) return terminal.print(`${options.header ? "Authorization: Bearer " : ""}${idToken}\n`);
  const claims = readClaims(idToken) ?? {};
  const expires = typeof claims.exp === "number" ? new Date(claims.exp * 1000).toISOString() : null;
  terminal.printJson({ token: idToken, audience, expires_at: expires, claims });
}

/** The audience in the flags, or else of the service. Only IAP and a missing audience need the service's URL. */
async function findAudience(context: Context, target: string | undefined, options: AudienceOptions): Promise<string> {
  if (options.audience !== undefined && options.iap === undefined) return options.audience;
  const [url] = await findTargetUrls(context, target === undefined ? [] : [target]);
  return chooseAudience(url, options, context);
}

/** The valid audience for a service's URL with a path or tag; undefined if the audience is valid. */
function correctAudience(audience: string): string | undefined {
  if (!URL.canParse(audience)) return undefined;
  const url = new URL(audience);
  const expected = audienceFor(url);
  return isServiceHost(url.hostname) && audience !== expected && audience !== `${expected}/` ? expected : undefined;
}

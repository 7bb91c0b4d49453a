import { env } from "node:process";
import type { AuthContext } from "./auth/auth-context.ts";
import { openGoogleKeys, type FindKey } from "./auth/google-public-keys.ts";
import { withCache } from "./auth/token-cache.ts";
import { verifyIdToken as verify, type VerifiedClaims, type VerifyIdTokenOptions } from "./auth/verify-id-token.ts";
import { CliError } from "./errors/cli-error.ts";
import { openCredentials, type GivenCredentials } from "./library/open-credentials.ts";
import { openServiceFetch } from "./library/service-fetch.ts";
import { findServiceUrl, parseServiceUrl, type ServiceByName } from "./library/service-url.ts";
import { createSend } from "./http/client.ts";

export { CliError } from "./errors/cli-error.ts";
export type { ErrorCode } from "./errors/exit-codes.ts";
export type { NextStep } from "./errors/next-step.ts";
export type { TokenFault, VerifiedClaims, VerifyIdTokenOptions } from "./auth/verify-id-token.ts";
export { diagnose, type DiagnoseOptions, type Diagnosis, type RefusedAnswer } from "./library/diagnose.ts";
export type { GivenCredentials } from "./library/open-credentials.ts";
export type { ServiceByName } from "./library/service-url.ts";

export interface FetchIdTokenOptions {
  /** The path of a service account's key file, or its content. Default: the file that CLOUDRUN_OAUTH_CREDENTIALS, CREDS or GOOGLE_APPLICATION_CREDENTIALS names. */
  readonly credentials?: GivenCredentials;
  /** The token's audience: the service's URL, without a path. */
  readonly audience: string;
}

/** Set exactly one of `url` and `service`. */
export type CreateFetchOptions = {
  /** As for `fetchIdToken`. */
  readonly credentials?: GivenCredentials;
  /** The audience of tokens, if it isn't the service's URL: a custom audience, or the client ID of Identity-Aware Proxy. */
  readonly audience?: string;
} & ({ readonly url: string | URL; readonly service?: undefined } | (ServiceByName & { readonly url?: undefined }));

/**
 * Fetches an ID token, valid for an hour, to send to the audience as `Authorization: Bearer …`. Uses the proxy and the emulator that the
 * environment names. Throws a CliError whose `code` says what went wrong: CREDENTIALS_MISSING, CREDENTIALS_INVALID, TOKEN_REFUSED, CLOCK_SKEW,
 * UNAVAILABLE, TIMEOUT, EMULATOR_NOT_RUNNING or SETTINGS_INVALID.
 */
export async function fetchIdToken({ credentials, audience }: FetchIdTokenOptions): Promise<string> {
  return (await openCredentials(credentials, { send: createSend({ env }), env })).fetchIdToken(audience);
}

/**
 * Creates a `fetch` for a private service. It works like the platform's own, and in addition:
 * - relative URLs are relative to the service's;
 * - each request to the service's origin, and to no other, has an ID token. It is renewed five minutes before it expires and when Cloud
 *   Run's front end rejects it; concurrent calls share one. If the request has its own Authorization, the token goes in
 *   X-Serverless-Authorization;
 * - it uses the proxy and the emulator that the environment names.
 *
 * A body that is a stream, or part of a Request, is streamed and can't be sent a second time; any other is held in memory. The first call
 * reads the environment and the credentials and, for `service`, asks Cloud Run's API. Throws CliError USAGE if the options aren't valid. The
 * `fetch` rejects with a CliError as `fetchIdToken` does, and with NOT_FOUND, PERMISSION_DENIED or USAGE for `service`; with a signal's
 * reason; or with a TypeError as the platform's `fetch` does for requests that aren't valid.
 */
export function createFetch(options: CreateFetchOptions): typeof fetch {
  const { credentials, audience, url, service } = options;
  if ((url === undefined) === (service === undefined)) throw new CliError("USAGE", "Set exactly one of the options url and service.");
  const known = url === undefined ? undefined : parseServiceUrl(url);
  const authContext = once(async () => ({ send: createSend({ env }), env }));
  const findUrl = once(async () => known ?? lookUp(options as ServiceByName, credentials, await authContext()));
  return openServiceFetch({
    send: async (request) => (await authContext()).send(request),
    findUrl,
    credentials: once(async () => withCache(await openCredentials(credentials, await authContext()), { env }, { cache: false })),
    audience,
  });
}

async function lookUp(name: ServiceByName, given: GivenCredentials | undefined, exchange: AuthContext): Promise<URL> {
  return findServiceUrl(name, await openCredentials(given, exchange, "operate"), exchange);
}

let keys: { readonly emulator: string | undefined; readonly find: FindKey } | undefined;

/**
 * Verifies an ID token with Google's public keys and returns its claims, for a service that is public or not behind Cloud Run. (Cloud Run's
 * front end removes the signature of tokens that it has verified.) Uses the emulator's keys if CLOUDRUN_OAUTH_EMULATOR is set. Throws
 * CliError: CREDENTIALS_INVALID with a `TokenFault` in `details.reason`; USAGE without an audience; UNAVAILABLE, TIMEOUT,
 * EMULATOR_NOT_RUNNING or SETTINGS_INVALID if the keys can't be fetched.
 * https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken
 */
export async function verifyIdToken(token: string, options: VerifyIdTokenOptions): Promise<VerifiedClaims> {
  const emulator = env["CLOUDRUN_OAUTH_EMULATOR"];
  // Keys of one emulator must not verify tokens of another, or of Google.
  if (keys?.emulator !== emulator) keys = undefined;
  const { find } = (keys ??= { emulator, find: openGoogleKeys(createSend({ env })) });
  return verify(token, options, { findKey: find });
}

/** Runs at the first call and shares the result; runs again after a failure. */
function once<T>(run: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () =>
    (result ??= run().catch((error: unknown) => {
      result = undefined;
      throw error;
    }));
}

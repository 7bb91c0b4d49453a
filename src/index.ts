import { env } from "node:process";
import { audienceFor } from "./auth/audience.ts";
import type { AuthContext } from "./auth/auth-context.ts";
import { openGoogleKeys, type FindKey } from "./auth/google-public-keys.ts";
import { verifyIdToken as verify, type VerifiedClaims, type VerifyIdTokenOptions } from "./auth/verify-id-token.ts";
import { CliError } from "./errors/cli-error.ts";
import { openCredentials, type GivenCredentials } from "./library/open-credentials.ts";
import { openIdTokenSource, type IdTokenSource } from "./library/id-token-source.ts";
import { openServiceFetch } from "./library/service-fetch.ts";
import { findServiceUrl, parseServiceUrl, type ServiceByName } from "./library/service-url.ts";
import { createSend } from "./http/client.ts";

export { CliError } from "./errors/cli-error.ts";
export type { ErrorCode } from "./errors/exit-codes.ts";
export type { TokenFault, VerifiedClaims, VerifyIdTokenOptions } from "./auth/verify-id-token.ts";
export { diagnose, type DiagnoseOptions, type Diagnosis, type RefusedAnswer } from "./library/diagnose.ts";
export type { GivenCredentials } from "./library/open-credentials.ts";
export type { ServiceByName } from "./library/service-url.ts";

export interface FetchIdTokenOptions {
  /** The path of a service account's key file, or what it holds. Default: the file that CLOUDRUN_OAUTH_CREDENTIALS, CREDS or GOOGLE_APPLICATION_CREDENTIALS names. */
  readonly credentials?: GivenCredentials;
  /** Whom the token is for: the service's URL, without a path. */
  readonly audience: string;
}

/** Exactly one of `url` and `service` says what is called. */
export type CreateFetchOptions = {
  /** As for `fetchIdToken`. */
  readonly credentials?: GivenCredentials;
  /** Whom tokens are for, where that is not the service's URL: a custom audience, or the client id of Identity-Aware Proxy. */
  readonly audience?: string;
} & ({ readonly url: string | URL; readonly service?: undefined } | (ServiceByName & { readonly url?: undefined }));

/**
 * Fetches an ID token, good for an hour, to be sent to the audience as `Authorization: Bearer …`. Proxies and the emulator are found in the
 * environment. Throws a CliError whose `code` says what went wrong: CREDENTIALS_MISSING, CREDENTIALS_INVALID, TOKEN_REFUSED, CLOCK_SKEW,
 * UNAVAILABLE, TIMEOUT, EMULATOR_NOT_RUNNING or SETTINGS_INVALID.
 */
export async function fetchIdToken({ credentials, audience }: FetchIdTokenOptions): Promise<string> {
  return (await openCredentials(credentials, { send: createSend({ env }), env })).fetchIdToken(audience);
}

/**
 * Makes a `fetch` for a private service: the platform's own in what it takes and gives, and besides
 * - relative URLs are relative to the service's;
 * - each request to the service's origin, and to no other, has an ID token. It is renewed five minutes before it ends and when Cloud Run's front
 *   end refuses it; calls at the same time share one. Where Authorization is the caller's own, it goes in X-Serverless-Authorization;
 * - proxies and the emulator are found in the environment.
 *
 * A body that is a stream, or that comes in a Request, is sent as it comes, and cannot be sent a second time; any other is held in memory.
 * The environment, the credentials and, for `service`, Cloud Run's API are asked when it is first called. Throws CliError USAGE for options
 * that make no sense; what it makes rejects with a CliError as `fetchIdToken` and for NOT_FOUND, PERMISSION_DENIED and USAGE of `service`,
 * with a signal's reason, or with a TypeError as `fetch` does for requests that are none.
 */
export function createFetch(options: CreateFetchOptions): typeof fetch {
  const { credentials, audience, url, service } = options;
  if ((url === undefined) === (service === undefined))
    throw new CliError("USAGE", "Which service?", { hint: "Say exactly one of the options url and service." });
  const known = url === undefined ? undefined : parseServiceUrl(url);
  const exchange = once(async () => ({ send: createSend({ env }), env }));
  const caller = once(async () => openCredentials(credentials, await exchange()));
  const findUrl = once(async () => known ?? lookUp(options as ServiceByName, credentials, await exchange()));
  let source: IdTokenSource | undefined;
  return openServiceFetch({
    send: async (request) => (await exchange()).send(request),
    findUrl,
    tokens: (base) => (source ??= openIdTokenSource(async () => (await caller()).fetchIdToken(audience ?? audienceFor(base)))),
  });
}

async function lookUp(name: ServiceByName, given: GivenCredentials | undefined, exchange: AuthContext): Promise<URL> {
  return findServiceUrl(name, await openCredentials(given, exchange, "operate"), exchange);
}

let keys: { readonly emulator: string | undefined; readonly find: FindKey } | undefined;

/**
 * Verifies an ID token by Google's public keys, and gives its claims: for a service that is public, or behind something else than Cloud Run.
 * (Where Cloud Run's front end has verified a token, it has removed the signature.) The keys are the emulator's where CLOUDRUN_OAUTH_EMULATOR
 * is set. Throws CliError: CREDENTIALS_INVALID with a `TokenFault` in `details.reason`; USAGE where no audience is said; UNAVAILABLE, TIMEOUT,
 * EMULATOR_NOT_RUNNING or SETTINGS_INVALID where the keys cannot be had.
 * https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken
 */
export async function verifyIdToken(token: string, options: VerifyIdTokenOptions): Promise<VerifiedClaims> {
  const emulator = env["CLOUDRUN_OAUTH_EMULATOR"];
  // What an emulator vouched for is worth nothing elsewhere.
  if (keys?.emulator !== emulator) keys = undefined;
  const { find } = (keys ??= { emulator, find: openGoogleKeys(createSend({ env })) });
  return verify(token, options, { findKey: find });
}

/** Begins when it is first asked for; what failed is begun anew. */
function once<T>(begin: () => Promise<T>): () => Promise<T> {
  let begun: Promise<T> | undefined;
  return () =>
    (begun ??= begin().catch((error: unknown) => {
      begun = undefined;
      throw error;
    }));
}

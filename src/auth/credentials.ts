export interface AccessToken {
  readonly token: string;
  /** Seconds since the epoch. */
  readonly expires: number;
}

/** Gets tokens, with whatever kind of credential. */
export interface Credentials {
  /** The caller, as policies name it: `serviceAccount:caller@…`. Undefined if only a token tells, as with a user's login. */
  readonly principal: string | undefined;
  /** The kind of credential and its origin, in one line for `--verbose`; never a secret. */
  readonly description: string;
  /** Distinguishes these credentials from all others. Some parts can be secret, so it is only ever hashed. */
  readonly identity: readonly string[];
  /** The path of the file that holds the credential. */
  readonly file?: string;
  /** The audience of all its ID tokens, whatever audience is requested. */
  readonly audience?: string;
  /** The request that gets a token, for `--dry-run`. */
  readonly tokenRequest: { readonly method: "POST" | "GET"; readonly url: string };
  /**
   * Fetches an ID token for an audience. Throws CliError: CREDENTIALS_INVALID if the credential can't be used, TOKEN_REFUSED or CLOCK_SKEW
   * if the endpoint refuses, UNAVAILABLE or TIMEOUT if it doesn't work.
   */
  fetchIdToken(audience: string): Promise<string>;
  /** Fetches an access token for Google's APIs. Throws as `fetchIdToken` does. */
  fetchAccessToken(): Promise<AccessToken>;
}

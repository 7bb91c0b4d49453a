import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { invalidArgument } from "../server/errors.ts";
import type { State } from "../state/state.ts";
import { type Login, type User, createUniqueId } from "./users.ts";

/** The file that `gcloud auth application-default login` writes, in Google's spelling. */
export interface LoginFile {
  readonly type: "authorized_user";
  readonly account: string;
  readonly client_id: string;
  readonly client_secret: string;
  readonly refresh_token: string;
  readonly universe_domain: string;
}

/** The clients of `gcloud auth login` and `gcloud auth application-default login`. Cloud Run accepts ID tokens with these audiences. */
export const GCLOUD_CLIENTS = [
  "32555940559.apps.googleusercontent.com",
  "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com",
] as const;

/** The scopes that gcloud requests. */
const SCOPES = ["openid", "https://www.googleapis.com/auth/userinfo.email", "https://www.googleapis.com/auth/cloud-platform"];

/** The person with an email address; created if missing. Throws ApiError INVALID_ARGUMENT if it isn't a person's address. */
export function ensureUser(state: Pick<State, "users">, email: string): User {
  if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(email) || email.endsWith(".gserviceaccount.com"))
    throw invalidArgument(`${email} isn't a person's email address.`);
  const existing = state.users.get(email);
  if (existing) return existing;
  const user = { email, uniqueId: createUniqueId() };
  state.users.set(email, user);
  return user;
}

/** Signs a person in with one of gcloud's clients. The state stores hashes; only the returned file has the secrets. */
export function createLogin(state: Pick<State, "logins">, { email }: User, scopes: readonly string[] = SCOPES): LoginFile {
  const client_secret = `emulator-${secret()}`;
  const client_id = GCLOUD_CLIENTS[1];
  const refresh_token = createRefreshToken(state, { email, clientId: client_id, clientSecret: client_secret, scopes });
  return { type: "authorized_user", account: email, client_id, client_secret, refresh_token, universe_domain: "googleapis.com" };
}

/** Stores a login by hashes of its secrets, and returns its refresh token. */
export function createRefreshToken(state: Pick<State, "logins">, login: Login): string {
  const refreshToken = `1//0emulator-${secret()}`;
  state.logins.set(hash(refreshToken), { ...login, clientSecret: hash(login.clientSecret) });
  return refreshToken;
}

/** The login of a refresh token; undefined if the token was never issued or was revoked. */
export function findLogin(state: Pick<State, "logins">, refreshToken: string): Login | undefined {
  return state.logins.get(hash(refreshToken));
}

export function isClientSecret({ clientSecret }: Login, secret: string): boolean {
  return timingSafeEqual(Buffer.from(clientSecret), Buffer.from(hash(secret)));
}

export function revokeLogin(state: Pick<State, "logins">, refreshToken: string): void {
  state.logins.delete(hash(refreshToken));
}

function secret(): string {
  return randomBytes(32).toString("base64url");
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

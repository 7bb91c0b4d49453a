import { readClaims } from "./jwt.ts";

/** An account as policies name it: `serviceAccount:…` or `user:…`. */
export function principalForEmail(email: string): string {
  return `${email.endsWith(".gserviceaccount.com") ? "serviceAccount" : "user"}:${email}`;
}

/** The principal of a token, by its email claim; the token isn't verified. */
export function principalOfToken(token: string): string | undefined {
  const { email } = readClaims(token) ?? {};
  return typeof email === "string" ? principalForEmail(email) : undefined;
}

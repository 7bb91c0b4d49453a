import type { Response } from "../request.ts";
import type { CachedCredentials } from "./token-cache.ts";

/**
 * Sends a call with an ID token. One that was kept and that the front end does not take any more, as after the emulator's clock was moved or
 * an account was made anew, is dropped, and the call is sent once more with a new one where it can be.
 */
export async function sendWithToken(
  credentials: CachedCredentials,
  { audience, isRepeatable }: { readonly audience: string; readonly isRepeatable: boolean },
  send: (token: string) => Promise<Response>,
): Promise<{ readonly token: string; readonly response: Response }> {
  const token = await credentials.fetchIdToken(audience);
  const response = await send(token);
  if (!isUnverified(response) || !credentials.forget(audience, token) || !isRepeatable) return { token, response };
  response.body.destroy();
  const second = await credentials.fetchIdToken(audience);
  return { token: second, response: await send(second) };
}

/** The front end's 401. A service's own is not about the token: it never saw it. */
function isUnverified({ status, headers }: Response): boolean {
  return status === 401 && (headers["www-authenticate"] ?? "").startsWith('Bearer error="invalid_token"');
}

interface AuthenticatedSend<T> {
  fetchToken(): Promise<string>;
  /** Sends the request with this token. */
  send(token: string): Promise<T>;
  /** Whether Cloud Run's front end rejected the token. A service's own 401 isn't about the token: the service never saw it. */
  isRejected(result: T): boolean;
  /** Drops a rejected token. True if it wasn't new: keys rotate and clocks are corrected, so a fresh one can be accepted. */
  dropRejected(token: string): boolean;
  /** False if the body is a stream, which has been read. */
  readonly canResend: boolean;
}

/** Sends a request with an ID token, and once more with a fresh one if a cached token is rejected. Throws as its parts do. */
export async function sendWithToken<T>(request: AuthenticatedSend<T>): Promise<{ readonly result: T; readonly token: string }> {
  const token = await request.fetchToken();
  const result = await request.send(token);
  if (!request.isRejected(result) || !request.dropRejected(token) || !request.canResend) return { result, token };
  const freshToken = await request.fetchToken();
  return { result: await request.send(freshToken), token: freshToken };
}

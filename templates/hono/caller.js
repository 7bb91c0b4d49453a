/**
 * The e-mail address of the caller, or null where there is none.
 * `headers` is an object with lower-case names.
 *
 * Cloud Run has verified the ID token before the request comes here, and has replaced its
 * signature by SIGNATURE_REMOVED_BY_GOOGLE, so that it is of no use to whoever sees it. It cannot
 * be verified again: it is only decoded, and what it says can be trusted only as long as the
 * service is private. README.md says how a public one verifies.
 */
export function callerEmail(headers) {
  // Where both are sent, Cloud Run checks X-Serverless-Authorization and leaves the other alone.
  const credential = headers["x-serverless-authorization"] ?? headers.authorization ?? "";
  const [scheme, token = ""] = credential.trim().split(/\s+/);
  const segments = token.split(".");
  if (scheme.toLowerCase() !== "bearer" || segments.length !== 3) return null;
  try {
    const claims = JSON.parse(Buffer.from(segments[1], "base64url").toString());
    return typeof claims?.email === "string" ? claims.email : null;
  } catch {
    return null;
  }
}

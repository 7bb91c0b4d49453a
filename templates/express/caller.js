/**
 * The caller's email address, or null if the request has no ID token with one.
 * `headers` is an object with lowercase names.
 *
 * Cloud Run has already verified the ID token and replaced its signature with
 * SIGNATURE_REMOVED_BY_GOOGLE, so this only decodes it. Don't trust the result in a
 * public service: see README.md, "Identify the caller".
 */
export function callerEmail(headers) {
  // If both headers are present, Cloud Run checks X-Serverless-Authorization only.
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

import type { Session } from "../run/route.ts";

// https://cloud.google.com/run/docs/configuring/session-affinity: a cookie that lives for thirty days, here in milliseconds.
const LIFETIME = 30 * 24 * 60 * 60_000;
const NAME = "GAESA";
const SESSION = new RegExp(`(?:^|;)\\s*${NAME}=([\\w-]+)`);

/** The session that a request's cookies name; `rawHeaders` are name, value, name, value … */
export function readSession(rawHeaders: readonly string[]): Session | undefined {
  const cookies = rawHeaders
    .filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.length === 6 && rawHeaders[index - 1]?.toLowerCase() === "cookie")
    .join(";");
  if (cookies === "") return undefined;
  const [, value = ""] = SESSION.exec(cookies) ?? [];
  const [revisionName, instanceId] = Buffer.from(value, "base64url").toString("utf8").split("/");
  return revisionName && instanceId ? { revisionName, instanceId } : undefined;
}

/** The value of the Set-Cookie header that keeps a caller to an instance; `now` is in milliseconds. */
export function sessionCookie({ revisionName, instanceId }: Session, now: number): string {
  const value = Buffer.from(`${revisionName}/${instanceId}`).toString("base64url");
  return `${NAME}=${value}; expires=${new Date(now + LIFETIME).toUTCString()}; path=/`;
}

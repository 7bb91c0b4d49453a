import type { Session } from "../run/resolve-host.ts";
import { headerValues, type RawHeaders } from "../server/raw-headers.ts";

/** Thirty days: https://cloud.google.com/run/docs/configuring/session-affinity */
const COOKIE_LIFETIME_MS = 30 * 24 * 60 * 60_000;
const COOKIE_NAME = "GAESA";
const COOKIE_PATTERN = new RegExp(`(?:^|;)\\s*${COOKIE_NAME}=([\\w-]+)`);

export function readSession(rawHeaders: RawHeaders): Session | undefined {
  const cookies = headerValues(rawHeaders, "cookie").join(";");
  if (cookies === "") return undefined;
  const [, value = ""] = COOKIE_PATTERN.exec(cookies) ?? [];
  const [revisionName, instanceId] = Buffer.from(value, "base64url").toString("utf8").split("/");
  return revisionName && instanceId ? { revisionName, instanceId } : undefined;
}

/** The value of the Set-Cookie header that ties a caller to an instance; `now` is in milliseconds. */
export function sessionCookie({ revisionName, instanceId }: Session, now: number): string {
  const value = Buffer.from(`${revisionName}/${instanceId}`).toString("base64url");
  return `${COOKIE_NAME}=${value}; expires=${new Date(now + COOKIE_LIFETIME_MS).toUTCString()}; path=/`;
}

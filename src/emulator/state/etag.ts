import { randomBytes } from "node:crypto";
import { ApiError } from "../server/errors.ts";

export function createEtag(): string {
  return randomBytes(8).toString("base64");
}

/** Throws ApiError ABORTED if an etag, in either alphabet of base64, isn't the current one. */
export function checkEtag(etag: string, current: string): void {
  // Etags are bytes: gcloud sends them back in base64url.
  if (Buffer.from(etag, "base64").equals(Buffer.from(current, "base64"))) return;
  throw new ApiError("ABORTED", "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.");
}

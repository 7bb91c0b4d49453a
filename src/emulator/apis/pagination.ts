import { invalidArgument } from "../server/errors.ts";

/** One page of a list under Google's name for it, selected by the request's `pageSize` and `pageToken`: https://google.aip.dev/158 */
export function listPage(query: URLSearchParams, name: string, all: readonly unknown[], maxSize = 1000): object {
  const start = Number(query.get("pageToken") || 0);
  const size = Number(query.get("pageSize") || 100);
  if (!Number.isInteger(start) || !Number.isInteger(size) || start < 0 || size < 0)
    throw invalidArgument("The page size or page token is invalid.");
  const end = start + Math.min(size || 100, maxSize);
  return { [name]: all.slice(start, end), ...(end < all.length && { nextPageToken: String(end) }) };
}

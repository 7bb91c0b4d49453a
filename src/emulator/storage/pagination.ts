import { StorageError } from "./storage-error.ts";

export interface Page<T> {
  readonly items: T[];
  /** Names with the delimiter after the prefix, up to that delimiter. */
  readonly prefixes: string[];
  readonly nextPageToken?: string;
}

/** A page of items, sorted by name: https://cloud.google.com/storage/docs/json_api/v1/objects/list */
export function listPage<T extends { readonly name: string }>(all: readonly T[], query: URLSearchParams): Page<T> {
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const after = parsePageToken(query.get("pageToken"));
  const maxEntries = Math.min(parseMaxResults(query.get("maxResults")), 1000);

  const items: T[] = [];
  const prefixes: string[] = [];
  let last = after;
  for (const item of all) {
    if (!item.name.startsWith(prefix)) continue;
    const delimiterIndex = delimiter === "" ? -1 : item.name.indexOf(delimiter, prefix.length);
    const entry = delimiterIndex < 0 ? item.name : item.name.slice(0, delimiterIndex + delimiter.length);
    if (entry <= after || prefixes.at(-1) === entry) continue;
    if (items.length + prefixes.length === maxEntries) return { items, prefixes, nextPageToken: Buffer.from(last).toString("base64url") };
    if (delimiterIndex < 0) items.push(item);
    else prefixes.push(entry);
    last = entry;
  }
  return { items, prefixes };
}

function parsePageToken(token: string | null): string {
  return Buffer.from(token ?? "", "base64url").toString("utf8");
}

function parseMaxResults(text: string | null): number {
  if (text === null) return 1000;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new StorageError(400, "invalid", `Invalid value for maxResults: ${text}`);
  return count;
}

import { logFilter, type LogEntry, type LogQuery } from "../logs.ts";
import { defineVerb } from "../verb.ts";
import { requestLine, type ApiRequest } from "./client.ts";
import type { ClientFor } from "./request-verb.ts";

/** Google's own limit. */
const MAX_PAGE_SIZE = 1000;

interface LogPage {
  readonly entries?: readonly LogEntry[];
  readonly nextPageToken?: string;
}

export function logVerbs(clientFor: ClientFor) {
  return {
    readLogs: defineVerb({
      plan: (query: LogQuery) => [requestLine(pageRequest(query, query.limit ?? MAX_PAGE_SIZE))],
      async run(query) {
        const { limit = Number.POSITIVE_INFINITY } = query;
        const entries: LogEntry[] = [];
        for (let token: string | undefined; ;) {
          const page: LogPage = await clientFor(query).call(pageRequest(query, limit - entries.length, token));
          entries.push(...(page.entries ?? []));
          token = page.nextPageToken;
          // An empty page need not be the last: the search goes on with the next request.
          if (!token || entries.length >= limit) return entries.slice(0, limit).toReversed();
        }
      },
    }),
  };
}

// https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list
function pageRequest(query: LogQuery, maxEntries: number, pageToken?: string): ApiRequest {
  const body = {
    resourceNames: [`projects/${query.project}`],
    filter: logFilter(query),
    orderBy: "timestamp desc",
    pageSize: Math.min(maxEntries, MAX_PAGE_SIZE),
    ...(pageToken && { pageToken }),
  };
  return { method: "POST", url: "https://logging.googleapis.com/v2/entries:list", body };
}

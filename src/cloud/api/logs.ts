import type { ApiClient, ApiRequest } from "./client.ts";
import type { Place } from "../names.ts";
import { logFilter, type LogEntry, type LogQuery, type LogVerbs } from "../logs.ts";

/** Google's own limit of a page. */
const MOST_ON_A_PAGE = 1000;

export const logRequests = {
  readLogs: (query: LogQuery): readonly ApiRequest[] => [pageRequest(query, query.limit ?? MOST_ON_A_PAGE)],
};

/** The log by Google's Logging API. */
export function createLogs(clientOf: (place: Place) => ApiClient): LogVerbs {
  return {
    async readLogs(query) {
      const { limit = Number.POSITIVE_INFINITY } = query;
      const client = clientOf(query);
      const found: LogEntry[] = [];
      for (let token: string | undefined; ;) {
        const page = (await client.call(pageRequest(query, limit - found.length, token))) as {
          readonly entries?: readonly LogEntry[];
          readonly nextPageToken?: string;
        };
        found.push(...(page.entries ?? []));
        token = page.nextPageToken;
        // A page may be empty and not the last: then the search has only taken a rest.
        if (!token || found.length >= limit) return found.slice(0, limit).toReversed();
      }
    },
  };
}

// https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list
function pageRequest(query: LogQuery, most: number, pageToken?: string): ApiRequest {
  const body = {
    resourceNames: [`projects/${query.project}`],
    filter: logFilter(query),
    orderBy: "timestamp desc",
    pageSize: Math.min(most, MOST_ON_A_PAGE),
    ...(pageToken && { pageToken }),
  };
  return { method: "POST", url: "https://logging.googleapis.com/v2/entries:list", body };
}

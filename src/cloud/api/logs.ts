import { logFilter, type LogEntry, type LogQuery } from "../logs.ts";
import { defineVerb } from "../verb.ts";
import { requestLine, type ApiRequest } from "./client.ts";
import { listAll } from "./list-all.ts";
import type { ClientFor } from "./request-verb.ts";

const MAX_PAGE_SIZE = 1000;

export function logVerbs(clientFor: ClientFor) {
  return {
    readLogs: defineVerb({
      plan: (query: LogQuery) => [requestLine(pageRequest(query, undefined, query.limit ?? MAX_PAGE_SIZE))],
      async run(query) {
        const request = (token: string | undefined, maxItems: number) => pageRequest(query, token, maxItems);
        return (await listAll<LogEntry>(clientFor(query), "entries", request, query.limit)).toReversed();
      },
    }),
  };
}

// https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list
function pageRequest(query: LogQuery, pageToken: string | undefined, maxEntries: number): ApiRequest {
  const body = {
    resourceNames: [`projects/${query.project}`],
    filter: logFilter(query),
    orderBy: "timestamp desc",
    pageSize: Math.min(maxEntries, MAX_PAGE_SIZE),
    ...(pageToken && { pageToken }),
  };
  return { method: "POST", url: "https://logging.googleapis.com/v2/entries:list", body };
}

import type { Gcloud } from "./process.ts";
import { logFilter, type LogEntry, type LogQuery, type LogVerbs } from "../logs.ts";

/** The gcloud line of reading; `logging tail` would need a component that few have, and `run services logs read` knows no trace. */
export const logLines = {
  readLogs: (query: LogQuery): readonly (readonly string[])[] => [
    [
      "logging",
      "read",
      logFilter(query),
      "--order",
      "desc",
      ...(query.limit === undefined ? [] : ["--limit", String(query.limit)]),
      "--project",
      query.project,
      "--quiet",
      "--format=json",
    ],
  ],
};

/** The log by the real gcloud. */
export function createLogs(gcloud: Gcloud): LogVerbs {
  return {
    async readLogs(query) {
      const [line = []] = logLines.readLogs(query);
      return (JSON.parse(await gcloud(line, { isProbe: true })) as LogEntry[]).toReversed();
    },
  };
}

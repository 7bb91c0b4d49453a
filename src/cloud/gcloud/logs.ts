import { logFilter, type LogEntry, type LogQuery } from "../logs.ts";
import { commandVerb, flag, jsonCommand, parseGcloudJson } from "./command.ts";
import type { Gcloud } from "./process.ts";

export function logVerbs(gcloud: Gcloud) {
  return { readLogs: commandVerb(gcloud, { args: readArgs, read: readEntries }) };
}

/** `logging tail` needs a component that few have installed, and `run services logs read` doesn't show traces. */
function readArgs(query: LogQuery): string[] {
  const limit = flag("--limit", query.limit?.toString());
  return jsonCommand(["logging", "read", logFilter(query), "--order", "desc", ...limit], { project: query.project });
}

function readEntries(stdout: string): LogEntry[] {
  return parseGcloudJson<LogEntry[]>(stdout).toReversed();
}

import type { State } from "../state/state.ts";
import type { LogEntry, MonitoredResource } from "./entry.ts";
import type { LogStore } from "./log-store.ts";
import { parseLine } from "./parse-line.ts";

/** The monitored resource of a revision; `location` is its region. */
export function revisionResource(project: string, location: string, service: string, revision: string): MonitoredResource {
  return {
    type: "cloud_run_revision",
    labels: { project_id: project, location, service_name: service, revision_name: revision, configuration_name: service },
  };
}

export function runLog(project: string, log: "stdout" | "stderr" | "requests" | "varlog/system"): string {
  return `projects/${project}/logs/run.googleapis.com%2F${log.replace("/", "%2F")}`;
}

/** Logs an instance's output, and Cloud Run's messages about it. https://cloud.google.com/run/docs/logging */
export function openInstanceLog(
  { state, logs }: { readonly state: State; readonly logs: LogStore },
  revisionKey: string,
  instanceId: string,
) {
  const { metadata, spec } = state.revisions.get(revisionKey) ?? {};
  const [project = "", region = "", revision = ""] = revisionKey.split("/");
  const resource = revisionResource(project, region, metadata?.labels["serving.knative.dev/service"] ?? "", revision);
  const container = spec?.containers[0]?.name;
  const instanceLabels = { instanceId, ...(container !== undefined && { container_name: container }) };
  return {
    /** Logs a line, which has no newline. */
    write(stream: "stdout" | "stderr", line: string): void {
      const { labels, ...parsed } = parseLine(line);
      logs.append([{ ...parsed, logName: runLog(project, stream), resource, labels: { ...labels, ...instanceLabels } }]);
    },
    writeSystem(severity: NonNullable<LogEntry["severity"]>, textPayload: string): void {
      logs.append([{ logName: runLog(project, "varlog/system"), resource, severity, textPayload, labels: instanceLabels }]);
    },
  };
}

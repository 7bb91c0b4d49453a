import { expect, test } from "vitest";
import type { LogEntry, LogQuery } from "../../../src/cloud/logs.ts";
import { findColdStarts } from "../../../src/commands/load/cold-starts.ts";

const serviceLog = { project: "my-project", region: "us-central1", service: "hello" };
const started = new Date("2026-11-23T12:00:00Z");
const signal = new AbortController().signal;
const at = (seconds: number): string => new Date(started.getTime() + seconds * 1000).toISOString();

const response = (trace: string | undefined, latencyMs: number) => ({ trace, latencyMs, status: 200, atMs: 0 });
const request = (trace: string, from: number, latency: string, instanceId?: string): LogEntry => ({
  trace: `projects/my-project/traces/${trace}`,
  timestamp: at(from),
  httpRequest: { latency },
  ...(instanceId !== undefined && { labels: { instanceId } }),
});
const start = (seconds: number, instanceId: string, textPayload = "Default STARTUP TCP probe succeeded after 1 attempt"): LogEntry => ({
  logName: "projects/my-project/logs/run.googleapis.com%2Fvarlog%2Fsystem",
  timestamp: at(seconds),
  labels: { instanceId },
  textPayload,
});

/** A log of these entries, whose queries support only traces. */
function logOf(entries: readonly LogEntry[], queries: LogQuery[] = []) {
  return async (query: LogQuery): Promise<readonly LogEntry[]> => {
    queries.push(query);
    return entries.filter(({ trace }) => (query.traces ? query.traces.includes(trace?.split("/").at(-1) ?? "") : trace === undefined));
  };
}

test("a response waited for an instance if one became ready between its request and its end", async () => {
  const slowest = [response("waited", 2500), response("warm", 2400), response("before", 2000), response(undefined, 900)];
  const log = [request("waited", 1, "2.5s"), request("warm", 10, "2.4s"), request("before", 4, "2s"), start(3.2, "i1"), start(3.5, "i2")];
  const queries: LogQuery[] = [];
  expect(await findColdStarts(logOf(log, queries), serviceLog, { started, slowest, signal })).toEqual({
    instances: 2,
    lookedUp: 3,
    foundInLog: 3,
    responses: [slowest[0]],
  });
  expect(queries).toEqual([
    { ...serviceLog, since: started.toISOString(), traces: ["waited", "warm", "before"] },
    { ...serviceLog, since: started.toISOString(), text: "STARTUP" },
  ]);
});

test("if the log names the instance that answered, the start of another one doesn't count", async () => {
  const slowest = [response("own", 2500), response("other", 2500)];
  const log = [request("own", 1, "2.5s", "i1"), request("other", 1, "2.5s", "i0"), start(3, "i1"), start(3, "i1", "STARTUP probe failed")];
  const { responses, instances } = await findColdStarts(logOf(log), serviceLog, { started, slowest, signal });
  expect([responses, instances]).toEqual([[slowest[0]], 1]);
});

test("without traces only the instances are read from the log", async () => {
  const queries: LogQuery[] = [];
  const coldStarts = await findColdStarts(logOf([], queries), serviceLog, { started, slowest: [response(undefined, 5)], signal });
  expect([coldStarts, queries.length]).toEqual([{ instances: 0, lookedUp: 0, foundInLog: 0, responses: [] }, 1]);
});

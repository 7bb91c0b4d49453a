import { expect, test } from "vitest";
import type { LogEntry, LogQuery } from "../../../src/cloud/logs.ts";
import { findColdStarts } from "../../../src/commands/load/cold-starts.ts";

const where = { project: "my-project", region: "us-central1", service: "hello" };
const started = new Date("2026-11-23T12:00:00Z");
const signal = new AbortController().signal;
const at = (seconds: number): string => new Date(started.getTime() + seconds * 1000).toISOString();

const answer = (trace: string | undefined, latency: number) => ({ trace, latency, status: 200, at: 0 });
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

/** A log of these entries, which knows traces and nothing else of queries. */
function logOf(entries: readonly LogEntry[], asked: LogQuery[] = []) {
  return async (query: LogQuery): Promise<readonly LogEntry[]> => {
    asked.push(query);
    return entries.filter(({ trace }) => (query.traces ? query.traces.includes(trace?.split("/").at(-1) ?? "") : trace === undefined));
  };
}

test("an answer waited for an instance where one became ready between its request and its end", async () => {
  const slowest = [answer("waited", 2500), answer("warm", 2400), answer("before", 2000), answer(undefined, 900)];
  const log = [request("waited", 1, "2.5s"), request("warm", 10, "2.4s"), request("before", 4, "2s"), start(3.2, "i1"), start(3.5, "i2")];
  const asked: LogQuery[] = [];
  expect(await findColdStarts(logOf(log, asked), where, { started, slowest, signal })).toEqual({
    instances: 2,
    looked: 3,
    known: 3,
    answers: [slowest[0]],
  });
  expect(asked).toEqual([
    { ...where, since: started.toISOString(), traces: ["waited", "warm", "before"] },
    { ...where, since: started.toISOString(), text: "STARTUP" },
  ]);
});

test("where the log names the instance that answered, the start of another one is not what was waited for", async () => {
  const slowest = [answer("own", 2500), answer("other", 2500)];
  const log = [request("own", 1, "2.5s", "i1"), request("other", 1, "2.5s", "i0"), start(3, "i1"), start(3, "i1", "STARTUP probe failed")];
  const { answers, instances } = await findColdStarts(logOf(log), where, { started, slowest, signal });
  expect([answers, instances]).toEqual([[slowest[0]], 1]);
});

test("without traces the log is asked for instances alone", async () => {
  const asked: LogQuery[] = [];
  const found = await findColdStarts(logOf([], asked), where, { started, slowest: [answer(undefined, 5)], signal });
  expect([found, asked.length]).toEqual([{ instances: 0, looked: 0, known: 0, answers: [] }, 1]);
});

import { expect, test } from "vitest";
import { createSchedule } from "../../../src/commands/load/schedule.ts";

const always = { start: 1000, requests: Infinity, maxDurationMs: Infinity, rate: undefined };

test("without a rate a request is due when it is taken, until there were enough or the time is over", () => {
  const some = createSchedule({ ...always, requests: 2 });
  expect([some.take(1000, false), some.take(1500, false), some.take(1600, false), some.next()]).toEqual([1000, 1500, undefined, Infinity]);
  const soon = createSchedule({ ...always, maxDurationMs: 100 });
  expect([soon.take(1099, false), soon.take(1100, false)]).toEqual([1099, undefined]);
});

test("at a rate a request that waited for a connection counts from when it was due", () => {
  const schedule = createSchedule({ ...always, rate: 100 });
  expect([schedule.take(1000, true), schedule.take(1005, true), schedule.next()]).toEqual([1000, undefined, 1010]);
  expect([schedule.take(1500, false), schedule.take(1500, false)]).toEqual([1010, 1020]);
});

test("at a rate the lateness of a timer isn't latency, and a longer delay is", () => {
  const schedule = createSchedule({ ...always, rate: 100 });
  expect([schedule.take(1001.5, true), schedule.take(1015, true)]).toEqual([1001.5, 1010]);
});

test("requests that were due before the end and not taken are counted", () => {
  const schedule = createSchedule({ ...always, rate: 100, maxDurationMs: 1000 });
  schedule.take(1000, true);
  expect([schedule.stop(2000), schedule.take(2000, false), schedule.next()]).toEqual([99, undefined, Infinity]);
  expect(createSchedule({ ...always, rate: 100, requests: 10 }).stop(5000)).toBe(10);
});

test("whenever a run begins, as many are due in its time as its rate says", () => {
  // Rounding makes some of these sums slightly too large.
  const starts = Array.from({ length: 2000 }, (_, index) => 1000 + index * 7.3137);
  const counts = starts.map((start) => createSchedule({ ...always, start, rate: 100, maxDurationMs: 600 }).stop(start + 700));
  expect([...new Set(counts)]).toEqual([60]);
});

import { expect, test } from "vitest";
import { createPace } from "../../../src/commands/load/pace.ts";

const always = { start: 1000, requests: Infinity, duration: Infinity, rate: undefined };

test("without a rate each request is due when it is taken, until there were enough or the time is over", () => {
  const some = createPace({ ...always, requests: 2 });
  expect([some.take(1000, false), some.take(1500, false), some.take(1600, false), some.next()]).toEqual([1000, 1500, undefined, Infinity]);
  const soon = createPace({ ...always, duration: 100 });
  expect([soon.take(1099, false), soon.take(1100, false)]).toEqual([1099, undefined]);
});

test("at a rate a request that waited for a connection counts from when it was due", () => {
  const pace = createPace({ ...always, rate: 100 });
  expect([pace.take(1000, true), pace.take(1005, true), pace.next()]).toEqual([1000, undefined, 1010]);
  expect([pace.take(1500, false), pace.take(1500, false)]).toEqual([1010, 1020]);
});

test("at a rate the lateness of a timer is nobody's latency, and a longer one is", () => {
  const pace = createPace({ ...always, rate: 100 });
  expect([pace.take(1001.5, true), pace.take(1015, true)]).toEqual([1001.5, 1010]);
});

test("what was due before the end and not taken is counted", () => {
  const pace = createPace({ ...always, rate: 100, duration: 1000 });
  pace.take(1000, true);
  expect([pace.stop(2000), pace.take(2000, false), pace.next()]).toEqual([99, undefined, Infinity]);
  expect(createPace({ ...always, rate: 100, requests: 10 }).stop(5000)).toBe(10);
});

test("whenever a run begins, as many are due in its time as its rate says", () => {
  // Some of these have a sum that comes out a little above.
  const starts = Array.from({ length: 2000 }, (_, index) => 1000 + index * 7.3137);
  const counts = starts.map((start) => createPace({ ...always, start, rate: 100, duration: 600 }).stop(start + 700));
  expect([...new Set(counts)]).toEqual([60]);
});

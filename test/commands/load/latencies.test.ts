import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Latencies } from "../../../src/commands/load/latencies.ts";

test("each percentile is within a thousandth of the exact one, and the buckets contain every value", () => {
  const duration = fc.double({ min: 0.001, max: 2_000_000, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(duration, { minLength: 1, maxLength: 200 }),
      fc.constantFrom(1, 50, 75, 90, 99, 99.9, 100),
      (durations, percent) => {
        const latencies = new Latencies();
        for (const each of durations) latencies.add(each);
        const sorted = durations.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length)) - 1] as number;
        // Rounding to microseconds loses half of one.
        expect(Math.abs(latencies.percentile(percent) - exact)).toBeLessThanOrEqual(exact / 1000 + 0.0006);
        expect([latencies.min, latencies.max]).toEqual([sorted[0], sorted.at(-1)]);
        expect(latencies.buckets().reduce((sum, { count }) => sum + count, 0)).toBe(durations.length);
      },
    ),
    { numRuns: 100 },
  );
});

test("without durations everything is zero, and a value above every bucket is in the last one", () => {
  const latencies = new Latencies();
  expect([latencies.count, latencies.min, latencies.mean, latencies.max, latencies.percentile(99)]).toEqual([0, 0, 0, 0, 0]);
  latencies.add(10 ** 9);
  expect([latencies.max, latencies.buckets().length]).toEqual([10 ** 9, 1]);
});

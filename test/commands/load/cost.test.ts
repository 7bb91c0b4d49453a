import { expect, test } from "vitest";
import { describeCost, estimateCost } from "../../../src/commands/load/cost.ts";

const PLAN = { maxRequests: Infinity, maxDurationMs: Infinity, concurrency: 10, rate: undefined, requestTimeoutMs: 60_000 };

test.for([
  ["a number of requests", { maxRequests: 1000 }, 200, { requests: 1000, instanceSeconds: { min: 3, max: 200 } }],
  ["a rate for a time", { maxDurationMs: 60_000, rate: 50 }, 100, { requests: 3000, instanceSeconds: { min: 4, max: 300 } }],
  ["only a time", { maxDurationMs: 10_000 }, 50, { requests: 2000, instanceSeconds: { min: 2, max: 100 } }],
  [
    "a time, and fewer requests than fit in it",
    { maxDurationMs: 10_000, maxRequests: 7 },
    1000,
    { requests: 7, instanceSeconds: { min: 1, max: 7 } },
  ],
  ["a time, without a known latency", { maxDurationMs: 10_000 }, undefined, { requests: 100_000, instanceSeconds: undefined }],
] as const)("%s is estimated", ([, part, latency, expected]) => {
  expect(estimateCost({ ...PLAN, ...part }, latency)).toEqual(expected);
});

test("the estimate is shown before the question", () => {
  expect(describeCost({ requests: 3000, instanceSeconds: { min: 4, max: 300 } }, "hello-abc123-uc.a.run.app")).toBe(
    "This sends about 3,000 requests to hello-abc123-uc.a.run.app. Google Cloud bills them and 4–300 seconds of instance time, depending on the service's concurrency.",
  );
});

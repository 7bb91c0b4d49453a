import { expect, test } from "vitest";
import { askForIt, estimate } from "../../../src/commands/load/cost.ts";

const amount = { requests: Infinity, duration: Infinity, concurrency: 10, rate: undefined, maxTime: 60_000 };

test.for([
  ["a number of requests", { requests: 1000 }, 200, { requests: 1000, instanceSeconds: { least: 3, most: 200 } }],
  ["a rate for a time", { duration: 60_000, rate: 50 }, 100, { requests: 3000, instanceSeconds: { least: 4, most: 300 } }],
  ["a time alone", { duration: 10_000 }, 50, { requests: 2000, instanceSeconds: { least: 2, most: 100 } }],
  ["a time, and less of a number", { duration: 10_000, requests: 7 }, 1000, { requests: 7, instanceSeconds: { least: 1, most: 7 } }],
  ["a time, and no answer to go by", { duration: 10_000 }, undefined, { requests: 100_000, instanceSeconds: undefined }],
] as const)("%s is estimated", ([, part, latency, expected]) => {
  expect(estimate({ ...amount, ...part }, latency)).toEqual(expected);
});

test("the question says what it comes to", () => {
  expect(askForIt({ requests: 3000, instanceSeconds: { least: 4, most: 300 } }, "hello-abc123-uc.a.run.app")).toBe(
    "Send hello-abc123-uc.a.run.app up to about 3,000 requests? Google bills them and 4 to 300 seconds of instances, by how many requests each takes at once.",
  );
});

import { expect, test } from "vitest";
import type { LogEntry } from "../../../src/emulator/logging/entry.ts";
import { compileQuery } from "../../../src/emulator/logging/query.ts";

const ENTRY: LogEntry = {
  insertId: "1",
  logName: "projects/demo-project/logs/run.googleapis.com%2Fstdout",
  resource: { type: "cloud_run_revision", labels: { service_name: "hello", location: "us-central1", revision_name: "hello-00001-abc" } },
  timestamp: "2026-11-23T12:00:00.500Z",
  receiveTimestamp: "2026-11-23T12:00:01Z",
  severity: "WARNING",
  jsonPayload: { message: "Disk is 90% full", disk: { free: 10, name: "sda" }, tags: ["a", "b"], isLast: true },
  labels: { "compute.googleapis.com/zone": "a", tier: "gold" },
  httpRequest: { status: 503, latency: "0.250s", requestSize: "1200" },
};

test.for([
  ["", true],
  ["  -- a comment\n", true],
  [
    "resource.type = cloud_run_revision \n AND resource.labels.service_name = hello \n AND resource.labels.location = us-central1 \n AND severity >= DEFAULT \n",
    true,
  ],
  ['timestamp>="2026-11-22T12:00:00.000000Z"', true],
  ['timestamp > "2026-11-23T12:00:00.5Z"', false],
  ["timestamp<=2026-11-23T12:00:00.500Z", true],
  ["timestamp<2026-11-24", true],
  ["severity>=ERROR", false],
  ["severity=warning", true],
  ["severity=(ERROR OR WARNING)", true],
  ["severity!=WARNING", false],
  ["severity<500", true],
  ["jsonPayload.message:disk", true],
  ['jsonPayload.message="disk is 90% FULL"', true],
  ["jsonPayload.message=disk", false],
  ['jsonPayload.message=~"^Disk.*full$"', true],
  ['jsonPayload.message=~"^disk"', false],
  ['jsonPayload.message=~"(?i)^disk"', true],
  ['jsonPayload.message!~"empty"', true],
  ["jsonPayload.disk.free<11", true],
  ["jsonPayload.disk.free>9.5", true],
  ["jsonPayload.tags=b", true],
  ["jsonPayload.isLast=true", true],
  ["jsonPayload.missing:*", false],
  ["jsonPayload.disk:*", true],
  ["jsonPayload.missing!=x", true],
  ["NOT jsonPayload.missing=x", true],
  ["-severity=WARNING", false],
  ['labels."compute.googleapis.com/zone"=a', true],
  ["labels.compute.googleapis.com/zone=a", true],
  ["labels.tier:OL", true],
  ["httpRequest.status>=500", true],
  ["httpRequest.latency>0.2s", true],
  ["httpRequest.requestSize>900", true],
  ['logName="projects/demo-project/logs/run.googleapis.com%2Fstdout"', true],
  ['log_id("run.googleapis.com/stdout")', true],
  ['log_id("run.googleapis.com/stderr")', false],
  ["full", true],
  ['"90% full" sda', true],
  ["empty", false],
  // OR binds closer than AND.
  ["severity=ERROR AND severity=WARNING OR severity=WARNING", false],
  ["severity=WARNING OR severity=ERROR AND severity=ERROR", false],
  ["(severity=ERROR AND severity=WARNING) OR severity=WARNING", true],
  ["severity=ERROR OR NOT severity=INFO", true],
] as const)("%j: %s", ([query, fits]) => {
  expect(compileQuery(query)(ENTRY)).toBe(fits);
});

test("an entry without a severity has the severity DEFAULT", () => {
  const { severity: _, ...entry } = ENTRY;
  expect([compileQuery("severity=DEFAULT")(entry), compileQuery("severity>=DEBUG")(entry)]).toEqual([true, false]);
});

test.for([
  ["severity>=", "syntax error at line 1, column 11"],
  ["(severity=ERROR", "syntax error at line 1, column 16"],
  ["a=b)", "syntax error at line 1, column 4"],
  ["a=b AND", "syntax error"],
  ["a=1\nb=", "syntax error at line 2, column 3"],
  ["severity=loud", "Invalid severity 'loud'"],
  ["timestamp>yesterday", "Invalid timestamp 'yesterday'"],
  ['textPayload=~"("', "Invalid regular expression '('"],
  ["sample(insertId, 0.01)", "syntax error"],
] as const)("%j is refused: %s", ([query, message]) => {
  expect(() => compileQuery(query)).toThrow(message);
});

test("thousands of nested parentheses are refused", () => {
  expect(() => compileQuery(`${"(".repeat(20_000)}a`)).toThrow("syntax error at line 1, column 102");
});

import { expect, test } from "vitest";
import { parseLine } from "../../../src/emulator/logging/parse-line.ts";

test("a line that isn't a JSON object is plain text", () => {
  for (const line of ["", "  hello ", "{no json}", "[1]", '"text"', "null", '{"a":1} trailing'])
    expect(parseLine(line)).toEqual({ textPayload: line });
});

test("a structured line gives its special fields to the entry and keeps the others", () => {
  const line = {
    severity: "warn",
    message: "slow",
    time: "2026-11-23T13:00:00.123456789+01:00",
    httpRequest: { requestMethod: "GET", status: "404", requestSize: 17, latency: "0.5s", unknown: 1 },
    "logging.googleapis.com/labels": { tenant: "a", shard: 3 },
    "logging.googleapis.com/trace": "projects/p/traces/0af7651916cd43dd8448eb211c80319c",
    "logging.googleapis.com/spanId": "b7ad6b7169203331",
    "logging.googleapis.com/trace_sampled": true,
    "logging.googleapis.com/operation": { id: "o", producer: "p", first: true },
    "logging.googleapis.com/sourceLocation": { file: "a.ts", line: 7, function: "f" },
    "logging.googleapis.com/insertId": "mine",
    order: { id: 5 },
  };
  expect(parseLine(JSON.stringify(line))).toEqual({
    severity: "WARNING",
    timestamp: "2026-11-23T12:00:00.123456789Z",
    httpRequest: { requestMethod: "GET", status: 404, requestSize: "17", latency: "0.5s" },
    labels: { tenant: "a", shard: "3" },
    trace: "projects/p/traces/0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    traceSampled: true,
    operation: { id: "o", producer: "p", first: true },
    sourceLocation: { file: "a.ts", line: "7", function: "f" },
    insertId: "mine",
    jsonPayload: { message: "slow", order: { id: 5 } },
  });
});

test("a message without other fields is plain text, including newlines", () => {
  expect(parseLine('{"severity":"ERROR","message":"one\\ntwo"}')).toEqual({ severity: "ERROR", textPayload: "one\ntwo" });
  expect(parseLine('{"message":{"a":1}}')).toEqual({ jsonPayload: { message: { a: 1 } } });
  expect(parseLine('{"severity":"INFO"}')).toEqual({ severity: "INFO", jsonPayload: {} });
});

test.for([
  ["EMERGENCY", "EMERGENCY"],
  ["Info", "INFO"],
  ["fatal", "CRITICAL"],
  [500, "ERROR"],
  ["850", "EMERGENCY"],
  ["default", undefined],
])("the severity %s is %s", ([said, severity]) => {
  expect(parseLine(JSON.stringify({ severity: said, message: "m" }))).toEqual({ ...(severity && { severity }), textPayload: "m" });
});

test("a special field of the wrong type stays in the payload", () => {
  const odd = {
    severity: "loud",
    time: 1795435200,
    httpRequest: "GET",
    "logging.googleapis.com/labels": ["a"],
    "logging.googleapis.com/trace": 5,
  };
  expect(parseLine(JSON.stringify(odd))).toEqual({ jsonPayload: odd });
});

test.for([
  [{ timestamp: { seconds: 1795435200, nanos: 5000 } }, "2026-11-23T12:00:00.000005Z"],
  [{ timestampSeconds: 1795435200, timestampNanos: 500_000_000 }, "2026-11-23T12:00:00.500Z"],
  [{ timestamp: "2026-11-23T12:00:00Z" }, "2026-11-23T12:00:00Z"],
] as const)("the time of %j is %s", ([fields, timestamp]) => {
  expect(parseLine(JSON.stringify({ ...fields, message: "m" }))).toEqual({ timestamp, textPayload: "m" });
});

test("JSON that is nested too deep for Cloud Logging is text", () => {
  const line = `{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`;
  expect(parseLine(line)).toEqual({ textPayload: line });
});

import { appendFileSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { LogEntry, NewEntry } from "../../../src/emulator/logging/entry.ts";
import { listEntries } from "../../../src/emulator/logging/list-entries.ts";
import { openLogStore, type LogStore } from "../../../src/emulator/logging/log-store.ts";
import { streamEntries } from "../../../src/emulator/logging/stream-entries.ts";
import { temporaryDirectory } from "../../helpers/api-server.ts";

const NOW = Date.parse("2026-11-23T12:00:00.250Z");

function open(directory: string, sizes: { segmentBytes?: number; maxSegments?: number } = {}): LogStore {
  return openLogStore(directory, { now: () => NOW, log: (line) => expect.fail(line), ...sizes });
}

function entry(textPayload: string, changes: Partial<NewEntry> = {}): NewEntry {
  const resource = { type: "cloud_run_revision", labels: { service_name: "hello" } };
  return { logName: "projects/p/logs/run.googleapis.com%2Fstdout", resource, textPayload, ...changes };
}

async function texts(store: LogStore): Promise<(string | undefined)[]> {
  const found: LogEntry[] = [];
  for await (const each of store.read()) found.push(each);
  return found.map(({ textPayload }) => textPayload);
}

test("entries are in the folder after a restart, in the order in which they arrived", async () => {
  const directory = temporaryDirectory();
  const first = open(directory);
  first.append([entry("one"), entry("two")]);
  first.close();
  const second = open(directory);
  onTestFinished(() => second.close());
  second.append([entry("three")]);
  expect(await texts(second)).toEqual(["one", "two", "three"]);
});

test("an entry gets its time of arrival, and an id that keeps the order", async () => {
  const store = open(temporaryDirectory());
  onTestFinished(() => store.close());
  store.append([entry("a"), entry("b"), entry("c", { timestamp: "2020-01-01T00:00:00Z", insertId: "own" })]);
  const { entries } = await listEntries(store, { fits: () => true });
  expect(
    entries.map(({ textPayload, timestamp, insertId, receiveTimestamp }) => [textPayload, timestamp, insertId, receiveTimestamp]),
  ).toEqual([
    ["c", "2020-01-01T00:00:00Z", "own", "2026-11-23T12:00:00.250Z"],
    ["a", "2026-11-23T12:00:00.250Z", "6b042ac00003d09000000001", "2026-11-23T12:00:00.250Z"],
    ["b", "2026-11-23T12:00:00.250Z", "6b042ac00003d09000000002", "2026-11-23T12:00:00.250Z"],
  ]);
});

test("a line that a crash cut off is dropped, and the next line is complete", async () => {
  const directory = temporaryDirectory();
  const first = open(directory);
  first.append([entry("one")]);
  first.close();
  appendFileSync(join(directory, "00000001.jsonl"), '{"textPayload":"tor');
  const second = open(directory);
  onTestFinished(() => second.close());
  second.append([entry("two")]);
  expect(await texts(second)).toEqual(["one", "two"]);
});

test("a full segment is followed by the next, and the oldest are deleted", async () => {
  const directory = temporaryDirectory();
  const store = open(directory, { segmentBytes: 1000, maxSegments: 3 });
  onTestFinished(() => store.close());
  for (let number = 0; number < 50; number += 1) {
    store.append([entry(String(number))]);
    store.flush();
  }
  const kept = await texts(store);
  expect(kept.length).toBeLessThan(25);
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => String(50 - kept.length + index)));
  const sizes = readdirSync(directory).map((name) => statSync(join(directory, name)).size);
  expect(sizes.length).toBe(3);
  expect(Math.max(...sizes)).toBeLessThan(1500);
});

test("pages contain each entry once, in either order, even if times are equal", async () => {
  const store = open(temporaryDirectory());
  onTestFinished(() => store.close());
  const times = ["2026-01-01T00:00:00.500Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.500001Z"];
  store.append(Array.from({ length: 100 }, (_, index) => entry(String(index), { timestamp: times[index % 3] as string })));
  const expected = [1, 0, 2].flatMap((start) => Array.from({ length: start === 0 ? 34 : 33 }, (_, index) => String(start + index * 3)));
  for (const orderBy of ["timestamp asc", "timestamp desc"]) {
    const seen: (string | undefined)[] = [];
    for (let pageToken: string | undefined = ""; pageToken !== undefined;) {
      const page: Awaited<ReturnType<typeof listEntries>> = await listEntries(store, { fits: () => true, orderBy, pageSize: 7, pageToken });
      seen.push(...page.entries.map(({ textPayload }) => textPayload));
      pageToken = page.nextPageToken;
    }
    expect(seen).toEqual(orderBy.endsWith("asc") ? expected : expected.toReversed());
  }
});

test("no private key, access token or signature of an ID token gets into a file or to a follower", async () => {
  const directory = temporaryDirectory();
  const store = open(directory);
  onTestFinished(() => store.close());
  const followed: string[] = [];
  store.follow(
    (each) => followed.push(each.textPayload ?? ""),
    () => undefined,
  );
  const header = Buffer.from('{"alg":"RS256"}').toString("base64url");
  const claims = Buffer.from('{"sub":"1"}').toString("base64url");
  store.append([
    entry(`Bearer ${header}.${claims}.c2lnbmF0dXJl and ya29.c.secret`),
    entry('-----BEGIN PRIVATE KEY-----\nMIIsecret\n-----END PRIVATE KEY-----\n"after"'),
    entry(`Bearer ${header}.${claims}.SIGNATURE_REMOVED_BY_GOOGLE`),
  ]);
  const shown = [
    `Bearer ${header}.${claims}.SIGNATURE_REMOVED and [access token]`,
    '[private key]\n"after"',
    `Bearer ${header}.${claims}.SIGNATURE_REMOVED_BY_GOOGLE`,
  ];
  expect(await texts(store)).toEqual(shown);
  expect(followed).toEqual(shown);
  expect(readFileSync(join(directory, "00000001.jsonl"), "utf8")).not.toMatch(/secret|c2lnbmF0dXJl/);
});

test("a stream contains the latest entries and then new ones, and ends with the store", async () => {
  const store = open(temporaryDirectory());
  store.append([entry("old"), entry("a", { severity: "ERROR" }), entry("b", { severity: "CRITICAL" })]);
  const stream = await streamEntries(store, new URLSearchParams("follow=true&limit=1&severity=error&service=hello"));
  store.append([
    entry("c", { severity: "ALERT" }),
    entry("quiet"),
    entry("other", { severity: "ALERT", resource: { type: "x", labels: {} } }),
  ]);
  store.close();
  const lines = (await stream.toArray()).join("").trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as LogEntry).textPayload)).toEqual(["b", "c"]);
});

test("a stream ends when its reader disconnects", async () => {
  const store = open(temporaryDirectory());
  onTestFinished(() => store.close());
  const stream = await streamEntries(store, new URLSearchParams("follow=true"));
  stream.destroy();
  store.append([entry("late")]);
  expect(stream.readableLength).toBe(0);
});

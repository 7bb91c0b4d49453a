import { expect, test } from "vitest";
import type { LogEntry, LogQuery } from "../../../src/cloud/logs.ts";
import { CliError } from "../../../src/errors/cli-error.ts";
import { followEntries } from "../../../src/commands/logs/follow.ts";

const START = Date.parse("2026-01-31T12:00:00Z");
const QUERY: LogQuery = { project: "p", region: "r", service: "hello", since: new Date(START - 3_600_000).toISOString() };

const at = (seconds: number) => new Date(START + seconds * 1000).toISOString();

/** An entry by its name, the second of its time, and that at which Cloud Logging took it in. */
function entry(name: string, time: number, received = time): LogEntry {
  return { insertId: name, logName: "projects/p/logs/x", timestamp: at(time), receiveTimestamp: at(received), textPayload: name };
}

/** What Cloud Logging has at each look, as far as the query asks for it; the last look ends the following. */
async function follow(looks: readonly (readonly LogEntry[] | Error)[], { limit = 100 } = {}) {
  const end = new AbortController();
  const asked: LogQuery[] = [];
  const notes: string[] = [];
  const read = async (query: LogQuery): Promise<readonly LogEntry[]> => {
    const look = looks[asked.length] ?? [];
    asked.push(query);
    if (asked.length >= looks.length) end.abort();
    if (look instanceof Error) throw look;
    const found = look
      .filter(({ timestamp = "", receiveTimestamp = "" }) => timestamp >= query.since && receiveTimestamp >= (query.receivedSince ?? ""))
      .toSorted((a, b) => ((a.timestamp ?? "") < (b.timestamp ?? "") ? -1 : 1));
    return query.limit === undefined ? found : found.slice(-query.limit);
  };
  const shown: string[] = [];
  const note = (text: string) => notes.push(text);
  for await (const entries of followEntries(read, { query: QUERY, limit, intervalMs: 1, signal: end.signal, note }))
    shown.push(...entries.map(({ insertId = "" }) => insertId));
  return { shown, asked, notes };
}

test("a new entry is shown once, no matter how often it is read, how late it arrives, or how long ago it began", async () => {
  const [a, b] = [entry("a", 0), entry("b", 1)];
  const late = entry("late", 0.5, 2);
  const longRequest = entry("long-request", -1800, 30);
  const { shown } = await follow([[a, b], [a, b], [a, late, b], [a, late, b, longRequest, entry("c", 31)], [a, late, b, longRequest], []]);
  expect(shown).toEqual(["a", "b", "late", "long-request", "c"]);
});

test("existing entries beyond the limit are not shown as new ones", async () => {
  const existing = [entry("a", 0), entry("ended-last", 0.5, 3), entry("b", 1), entry("c", 2)];
  expect((await follow([existing, existing, [...existing, entry("d", 3)]], { limit: 2 })).shown).toEqual(["b", "c", "d"]);
  expect((await follow([existing, existing, [...existing, entry("d", 3)]], { limit: 0 })).shown).toEqual(["d"]);
  const many = Array.from({ length: 150 }, (_, index) => entry(`old-${index}`, index / 10));
  // A request that had begun before them all, and ends now, is new.
  const looks = [many, [...many, entry("e", -5, 20)], [...many, entry("e", -5, 20), entry("f", 21)], []];
  expect((await follow(looks, { limit: 0 })).shown).toEqual(["e", "f"]);
});

test("entries with one ID in different logs or at different times are different", async () => {
  const one = entry("a", 0);
  const others = [
    { ...one, logName: "projects/p/logs/y" },
    { ...one, timestamp: at(0.1) },
  ];
  expect((await follow([[one], [one, ...others]])).shown).toEqual(["a", "a", "a"]);
});

test("if there are no entries, the first new one is shown, whatever this machine's clock says", async () => {
  expect((await follow([[], [], [entry("a", -3000, -3000)], []])).shown).toEqual(["a"]);
});

test("each read asks for entries since a minute before the newest, and no further back than a request can last", async () => {
  const { asked } = await follow([[entry("a", 7200)], []]);
  expect(asked[1]).toMatchObject({ receivedSince: at(7140), since: at(7200 - 60 - 65 * 60) });
  expect(asked[1]).not.toHaveProperty("limit");
});

test("a failed read is reported and repeated, and nothing is lost", async () => {
  const broken = new CliError("UNAVAILABLE", "The connection was reset.");
  const { shown, notes } = await follow([[entry("a", 0)], broken, [entry("a", 0), entry("b", 1)], []]);
  expect({ shown, notes }).toEqual({ shown: ["a", "b"], notes: ["The connection was reset. Retrying."] });
});

test("a rejected read ends the command", async () => {
  const denied = new CliError("PERMISSION_DENIED", "Your account lacks logging.logEntries.list.");
  await expect(follow([[], denied, []])).rejects.toBe(denied);
});

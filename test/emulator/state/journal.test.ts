import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { JournalError, openJournal, type Change } from "../../../src/emulator/state/journal.ts";
import { temporaryDirectory } from "../../helpers/api-server.ts";

const change = (key: string, value?: unknown): Change => ({ collection: "settings", key, ...(value !== undefined && { value }) });
const line = (...changes: Change[]): string => `${JSON.stringify(changes)}\n`;

/** Opens a directory's journal; `memory` contains one collection. */
function open(directory: string) {
  const memory = new Map<string, unknown>();
  const replay = ({ collection, key, value }: Change): void => {
    if (collection !== "settings") throw new Error(`Unknown collection ${collection}`);
    if (value === undefined) memory.delete(key);
    else memory.set(key, value);
  };
  const journal = openJournal(directory, replay, () => [...memory].map(([key, value]) => change(key, value)));
  onTestFinished(() => journal.close());
  return { journal, memory, read: () => readFileSync(join(directory, "state.jsonl"), "utf8") };
}

/** A directory with a copy of another's journal. */
function copyOf(directory: string): string {
  return write(readFileSync(join(directory, "state.jsonl")));
}

/** A directory with a journal of this text. */
function write(text: string | Buffer): string {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "state.jsonl"), text);
  return directory;
}

test("appended changes are replayed, from a file that only its owner can read", () => {
  const directory = temporaryDirectory();
  const first = open(directory);
  first.journal.append([change("a", 1), change("b", { deep: ["Zoë"] })]);
  first.journal.append([change("a")]);
  expect([...open(directory).memory]).toEqual([["b", { deep: ["Zoë"] }]]);
  expect(statSync(join(directory, "state.jsonl")).mode & 0o777).toBe(0o600);
});

test("outdated changes are dropped when the journal is opened", () => {
  const { journal, read } = open(write(line(change("a", 1)) + line(change("a", 2), change("b", 1)) + line(change("b"))));
  expect(read()).toBe(line(change("a", 2)));
  journal.append([change("c", 3)]);
  expect(read()).toBe(line(change("a", 2)) + line(change("c", 3)));
});

test("a last line that a crash cut off at any byte is dropped entirely, and the next one doesn't continue it", () => {
  const kept = line(change("a", 1)) + line(change("b", 2));
  const last = Buffer.from(line(change("a", "ünïcode"), change("b"), change("c", { n: [1, 2] })));
  for (let cut = 0; cut < last.length; cut += 1) {
    const directory = write(Buffer.concat([Buffer.from(kept), last.subarray(0, cut)]));
    const { journal, memory } = open(directory);
    expect([...memory], `cut at ${cut}`).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
    journal.append([change("d", 4)]);
    expect([...open(directory).memory], `cut at ${cut}`).toEqual([
      ["a", 1],
      ["b", 2],
      ["d", 4],
    ]);
  }
});

test("an unfinished rewrite is ignored and replaced", () => {
  const directory = write(line(change("a", 1)));
  writeFileSync(join(directory, "state.jsonl.new"), line(change("a", "half")).slice(0, 20).repeat(100));
  expect([...open(directory).memory]).toEqual([["a", 1]]);
  expect(readdirSync(directory)).toEqual(["state.jsonl"]);
});

test("a journal that has grown is rewritten without outdated changes while it is open", () => {
  const directory = temporaryDirectory();
  const { journal, memory, read } = open(directory);
  const set = (key: string, value: unknown): void => {
    memory.set(key, value);
    journal.append([change(key, value)]);
  };
  set("kept", "from the beginning");
  let most = 0;
  for (let number = 0; number < 300; number += 1) {
    set(`key ${number % 10}`, `${number} `.repeat(5000));
    most = Math.max(most, read().length);
  }
  expect(most).toBeGreaterThan(1e6);
  expect(most).toBeLessThan(1.2 * 1024 * 1024);
  expect([...open(directory).memory]).toEqual([...memory]);
  expect(readdirSync(directory)).toEqual(["state.jsonl"]);
  expect(statSync(join(directory, "state.jsonl")).mode & 0o777).toBe(0o600);
});

test("a large journal is rewritten when it has grown fourfold, not after each change", () => {
  const directory = write(Array.from({ length: 100 }, (_, number) => line(change(`key ${number}`, "x".repeat(10_000)))).join(""));
  const { journal, read } = open(directory);
  const lengths: number[] = [];
  for (let number = 0; number < 400; number += 1) {
    journal.append([change("key 0", "x".repeat(10_000))]);
    lengths.push(read().length);
  }
  expect(Math.max(...lengths)).toBeGreaterThan(3.9e6);
  expect(lengths.filter((length, index) => length < (lengths[index - 1] ?? 0))).toHaveLength(1);
});

test("a journal that can't be rewritten stays in use until there is disk space again", () => {
  const directory = temporaryDirectory();
  const { journal, memory, read } = open(directory);
  const grow = (megabytes: number): void => {
    for (let number = 0; number < megabytes * 10; number += 1) {
      memory.set("a", `${number}`.repeat(50_000 / `${number}`.length));
      journal.append([change("a", memory.get("a")), change("b", "y".repeat(50_000)), change("b")]);
    }
  };
  const next = join(directory, "state.jsonl.new");
  mkdirSync(next);
  grow(2);
  expect(read().length).toBeGreaterThan(2e6);
  expect([...open(copyOf(directory)).memory]).toEqual([...memory]);
  rmSync(next, { recursive: true });
  grow(4);
  expect(read().length).toBeLessThan(2e6);
  expect([...open(copyOf(directory)).memory]).toEqual([...memory]);
});

test.skipIf(!existsSync("/dev/full"))("opening a journal on a full disk leaves it unchanged", () => {
  const text = line(change("a", 1)) + line(change("a", 2)) + line(change("b", 3)).slice(0, 9);
  const directory = write(text);
  symlinkSync("/dev/full", join(directory, "state.jsonl.new"));
  expect(() => open(directory)).toThrow("ENOSPC");
  expect(readFileSync(join(directory, "state.jsonl"), "utf8")).toBe(text);
  // The link was only this test's full disk.
  expect(readdirSync(directory)).toEqual(["state.jsonl"]);
});

test.for([
  ["isn't JSON", "[{"],
  ["is empty", ""],
  ["isn't a list of changes", "7"],
  ["has a change of nothing", "[null]"],
  ["has a change without a key", '[{"collection":"settings"}]'],
  ["names a collection that is not known", '[{"collection":"dreams","key":"a","value":1}]'],
  ["has bytes of a disk that failed", "\0".repeat(40)],
])("a line in the middle that %s is an error with its number, and the file stays unchanged", ([, damaged]) => {
  const text = `${line(change("a", 1))}${damaged}\n${line(change("b", 2))}`;
  const directory = write(text);
  const file = join(directory, "state.jsonl");
  expect(() => open(directory)).toThrow(JournalError);
  expect(() => open(directory)).toThrow(`Line 2 of ${file} is damaged`);
  expect(readFileSync(file, "utf8")).toBe(text);
});

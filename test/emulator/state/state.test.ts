import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openState, type State } from "../../../src/emulator/state/state.ts";
import { reopenState, temporaryDirectory } from "../../helpers/api-server.ts";
import { bundleProgram } from "../../helpers/bundle.ts";

function open(): State {
  return reopenState(temporaryDirectory());
}

const written = ({ directory }: State): string => readFileSync(join(directory, "state.jsonl"), "utf8");

test("values that were set exist after a restart, and deleted ones don't", () => {
  const state = open();
  state.settings.set("kept", { deep: [1, { two: 2 }] });
  state.settings.set("gone", 1);
  state.settings.delete("gone");
  state.settings.delete("never there");
  state.close();
  const again = reopenState(state.directory);
  expect(again.settings.list()).toEqual([{ deep: [1, { two: 2 }] }]);
  expect(again.settings.keys()).toEqual(["kept"]);
});

test("only the owner can read the directory", () => {
  const directory = join(temporaryDirectory(), "home", "data");
  reopenState(directory);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(statSync(join(directory, "state.jsonl")).mode & 0o777).toBe(0o600);
});

test("values read are frozen, and values set are copied", () => {
  const state = open();
  const mine = { list: [{ n: 1 }] };
  state.settings.set("a", mine);
  (mine.list[0] as { n: number }).n = 2;
  const read = state.settings.get("a") as typeof mine;
  expect(read).toEqual({ list: [{ n: 1 }] });
  expect(() => read.list.push({ n: 3 })).toThrow(TypeError);
  expect(() => ((read.list[0] as { n: number }).n = 3)).toThrow(TypeError);
  const { list } = reopenState(state.directory).settings.get("a") as typeof mine;
  expect(() => list.pop()).toThrow(TypeError);
});

test("a list is ordered by key, and a prefix filters it", () => {
  const state = open();
  for (const key of ["b/2", "a/10", "b/1", "B", "b"]) state.settings.set(key, key);
  expect(state.settings.list()).toEqual(["B", "a/10", "b", "b/1", "b/2"]);
  expect(state.settings.list("b/")).toEqual(["b/1", "b/2"]);
  expect(state.settings.keys("b/")).toEqual(["b/1", "b/2"]);
});

test("a transaction is one line, and its changes are visible within it", () => {
  const state = open();
  const before = written(state);
  const seen = state.transaction(() => {
    state.settings.set("a", 1);
    state.settings.set("b", 2);
    state.transaction(() => state.settings.delete("a"));
    return state.settings.keys();
  });
  expect(seen).toEqual(["b"]);
  expect(written(state).slice(before.length).trim().split("\n")).toHaveLength(1);
});

test("an error within a transaction undoes all of it, in memory and on disk", () => {
  const state = open();
  state.settings.set("a", 1);
  state.settings.set("b", 1);
  const before = written(state);
  const work = (): void => {
    state.settings.set("a", 2);
    state.settings.set("a", 3);
    state.settings.delete("b");
    state.settings.set("c", 1);
    throw new Error("changed my mind");
  };
  expect(() => state.transaction(work)).toThrow("changed my mind");
  expect([state.settings.get("a"), state.settings.get("b"), state.settings.get("c")]).toEqual([1, 1, undefined]);
  expect(written(state)).toBe(before);
  state.settings.set("d", 1);
  state.close();
  expect(reopenState(state.directory).settings.keys()).toEqual(["a", "b", "d"]);
});

test("a transaction that changes nothing writes nothing", () => {
  const state = open();
  const before = written(state);
  expect(state.transaction(() => "answer")).toBe("answer");
  expect(written(state)).toBe(before);
});

/** Runs a program under a limit of 512 bytes or more to a file: what a full disk does, for one process. Gives what it prints as JSON. */
async function runWithLittleRoom(directory: string, main: string): Promise<unknown> {
  const source = join(import.meta.dirname, "../../../src/emulator/state/state.ts");
  const script = await bundleProgram(`
    import { openState } from ${JSON.stringify(source)};
    // Writing beyond the limit is then an error instead of the program's end.
    process.on("SIGXFSZ", () => {});
    const attempt = (work) => { try { return work(); } catch (error) { return error.code; } };
    const open = () => openState(${JSON.stringify(directory)});
    ${main}`);
  return JSON.parse(execFileSync("/bin/sh", ["-c", 'ulimit -f 8 && exec "$0" "$1"', process.execPath, script], { encoding: "utf8" }));
}

test.skipIf(process.platform === "win32")("a change that doesn't fit on the disk has no effect, and the next change works", async () => {
  const directory = temporaryDirectory();
  const report = await runWithLittleRoom(
    directory,
    `const state = open();
    state.settings.set("old", "before");
    const long = "x".repeat(20_000);
    const alone = attempt(() => state.settings.set("old", long));
    const together = attempt(() => state.transaction(() => { state.settings.delete("old"); state.settings.set("new", long); }));
    state.settings.set("small", 1);
    console.log(JSON.stringify({ alone, together, keys: state.settings.keys(), old: state.settings.get("old") }));`,
  );
  expect(report).toEqual({ alone: "EFBIG", together: "EFBIG", keys: ["old", "small"], old: "before" });
  const text = readFileSync(join(directory, "state.jsonl"), "utf8");
  expect(text).not.toContain("xxx");
  const state = openState(directory);
  onTestFinished(() => state.close());
  expect([state.settings.get("old"), state.settings.get("small"), state.settings.get("new")]).toEqual(["before", 1, undefined]);
});

test.skipIf(process.platform === "win32")("a state that can't be rewritten on a full disk isn't opened, and isn't lost", async () => {
  const state = open();
  state.settings.set("long", "x".repeat(20_000));
  state.close();
  const before = written(state);
  expect(await runWithLittleRoom(state.directory, "console.log(JSON.stringify(attempt(open)));")).toBe("EFBIG");
  expect(readdirSync(state.directory)).toEqual(["state.jsonl"]);
  expect(written(state)).toBe(before);
});

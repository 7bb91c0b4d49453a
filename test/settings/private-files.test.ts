import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createPrivateFolder, isPrivate, openPrivateFile, writePrivateFile } from "../../src/settings/private-files.ts";
import { temporaryDirectory } from "../helpers/api-server.ts";

test("only what no one else can open, read, or write is private, and a link isn't", () => {
  const folder = join(temporaryDirectory(), "a", "b");
  expect(createPrivateFolder(folder)).toBe(true);
  expect(lstatSync(folder).mode & 0o777).toBe(0o700);
  chmodSync(folder, 0o750);
  expect(isPrivate(folder, "folder")).toBe(false);
  expect(createPrivateFolder(folder)).toBe(true);
  expect([isPrivate(folder, "folder"), isPrivate(folder, "file")]).toEqual([true, false]);
  const [file, link] = [join(folder, "file"), join(folder, "link")];
  writeFileSync(file, "", { mode: 0o600 });
  mkdirSync(join(folder, "other"), { mode: 0o700 });
  symlinkSync(join(folder, "other"), link);
  expect([isPrivate(file, "file"), isPrivate(link, "folder"), createPrivateFolder(link)]).toEqual([true, false, false]);
});

test("a private file replaces another, unless it must not", () => {
  const path = join(temporaryDirectory(), "key.json");
  writePrivateFile(path, "first", { overwrite: false });
  expect([readFileSync(path, "utf8"), isPrivate(path, "file")]).toEqual(["first", true]);
  writePrivateFile(path, "second");
  expect(readFileSync(path, "utf8")).toBe("second");
  expect(() => writePrivateFile(path, "third", { overwrite: false })).toThrow("EEXIST");
  expect([readFileSync(path, "utf8"), readdirSync(join(path, ".."))]).toEqual(["second", ["key.json"]]);
});

test("a file that is discarded leaves nothing, and one whose writer was killed is removed by the next", () => {
  const folder = temporaryDirectory();
  const path = join(folder, "key.json");
  openPrivateFile(path).discard();
  expect(readdirSync(folder)).toEqual([]);

  const [leftover, others] = [`.key.json.${"0".repeat(12)}.new`, `.other.json.${"0".repeat(12)}.new`] as const;
  const anHourAgo = Date.now() / 1000 - 3600;
  for (const name of [leftover, others]) {
    writeFileSync(join(folder, name), "half");
    utimesSync(join(folder, name), anHourAgo, anHourAgo);
  }
  const concurrent = openPrivateFile(path);
  writePrivateFile(path, "one");
  concurrent.write("two");
  expect(readdirSync(folder).toSorted()).toEqual([others, "key.json"]);
  expect(readFileSync(path, "utf8")).toBe("two");
});

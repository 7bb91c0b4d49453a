import { chmodSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cacheFolder, isPrivate, makePrivate } from "../../src/settings/private-files.ts";
import { temporaryDirectory } from "../helpers/api-server.ts";

test("the cache lies below the user's caches, and a relative folder is none", () => {
  const HOME = "/home/somebody";
  expect(cacheFolder({ HOME, XDG_CACHE_HOME: "/var/caches" })).toBe("/var/caches/cloudrun-oauth");
  expect(cacheFolder({ HOME, XDG_CACHE_HOME: "caches" })).toBe(cacheFolder({ HOME }));
  expect(cacheFolder({ HOME })).toMatch(/^\/home\/somebody\/.+\/cloudrun-oauth$/);
  expect(cacheFolder({ HOME, LOCALAPPDATA: "/local" })).toBe(join("/local", "cloudrun-oauth", "Cache"));
});

test("only what nobody else may enter, read or write is private, and a link is not", () => {
  const folder = join(temporaryDirectory(), "a", "b");
  expect(makePrivate(folder)).toBe(true);
  expect(lstatSync(folder).mode & 0o777).toBe(0o700);
  chmodSync(folder, 0o750);
  expect(isPrivate(folder, "folder")).toBe(false);
  expect(makePrivate(folder)).toBe(true);
  expect([isPrivate(folder, "folder"), isPrivate(folder, "file")]).toEqual([true, false]);
  const [file, link] = [join(folder, "file"), join(folder, "link")];
  writeFileSync(file, "", { mode: 0o600 });
  mkdirSync(join(folder, "other"), { mode: 0o700 });
  symlinkSync(join(folder, "other"), link);
  expect([isPrivate(file, "file"), isPrivate(link, "folder"), makePrivate(link)]).toEqual([true, false, false]);
});

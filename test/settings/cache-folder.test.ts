import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cacheFolder, writeCacheFile } from "../../src/settings/cache-folder.ts";
import { temporaryDirectory } from "../helpers/api-server.ts";

test("the cache folder is in the user's cache folder, and a relative XDG_CACHE_HOME is ignored", () => {
  const HOME = "/home/somebody";
  expect(cacheFolder({ HOME, XDG_CACHE_HOME: "/var/caches" })).toBe("/var/caches/cloudrun-oauth");
  expect(cacheFolder({ HOME, XDG_CACHE_HOME: "caches" })).toBe(cacheFolder({ HOME }));
  expect(cacheFolder({ HOME })).toMatch(/^\/home\/somebody\/.+\/cloudrun-oauth$/);
  expect(cacheFolder({ HOME, LOCALAPPDATA: "/local" })).toBe(join("/local", "cloudrun-oauth", "Cache"));
});

test("writing a file removes those that have been in the folder for too long", () => {
  const folder = join(temporaryDirectory(), "new");
  for (const name of ["old", "young"]) writeCacheFile(folder, name, name, 1000);
  const anHourAgo = Date.now() / 1000 - 3600;
  utimesSync(join(folder, "old"), anHourAgo, anHourAgo);
  writeCacheFile(folder, "written", "text", 60_000);
  expect(readdirSync(folder).toSorted()).toEqual(["written", "young"]);
});

test("a folder that can't be created is ignored", () => {
  const file = join(temporaryDirectory(), "file");
  writeFileSync(file, "");
  expect(() => writeCacheFile(join(file, "folder"), "name", "text", 1000)).not.toThrow();
});

import { chmodSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openProfiles } from "../../src/settings/profiles.ts";
import { folder, runCli } from "../helpers/command-line.ts";
import { failure } from "../helpers/failure.ts";

test("without a file there is only the default profile, and reading creates nothing", () => {
  const directory = folder();
  const profiles = openProfiles(directory, undefined);
  expect([profiles.current(), profiles.names(), profiles.values()]).toEqual(["default", ["default"], {}]);
  expect(readdirSync(directory)).toEqual([]);
});

test("profiles are written to config.json in the format that earlier versions read", () => {
  const directory = join(folder(), "new", "folder");
  const profiles = openProfiles(directory, undefined);
  profiles.set("project", "my-project");
  profiles.use("a.b");
  profiles.set("via", "api");
  profiles.set("via", undefined);
  const stored = { profiles: { default: { project: "my-project" }, "a.b": {} }, current: "a.b" };
  expect(JSON.parse(readFileSync(join(directory, "config.json"), "utf8"))).toEqual(stored);
  expect(readdirSync(directory)).toEqual(["config.json"]);

  profiles.delete("a.b");
  expect(openProfiles(directory, undefined).names()).toEqual(["default"]);
});

test.for([
  ["{", "isn't valid JSON"],
  ["", "isn't valid JSON"],
  ["null", "must contain a JSON object"],
  ["[]", "must contain a JSON object"],
  ['"text"', "must contain a JSON object"],
  ['{"current": 5}', "current must be a string"],
  ['{"profiles": []}', "profiles must be an object"],
  ['{"profiles": {"work": null}}', "profiles.work must be an object"],
  ['{"profiles": {"default": {"project": 5}}}', "project in profile default must be a string"],
  ['{"profiles": {"work": {"projekt": "my-project"}}}', 'unknown setting "projekt" in profile work'],
] as const)("a file that isn't valid is SETTINGS_INVALID, with its path and the reason: %s", async ([text, reason]) => {
  const directory = folder({ "config.json": text });
  const path = join(directory, "config.json");
  for (const argv of [["list"], ["set", "project", "my-project"], ["use", "work"], ["delete", "work"]]) {
    const { exitCode, stderr } = await runCli(["config", ...argv], { env: { CLOUDRUN_OAUTH_CONFIG_DIR: directory } });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(path)]);
    expect(stderr).toContain(reason);
    expect(stderr).toContain("[SETTINGS_INVALID]");
  }
  expect(readFileSync(path, "utf8")).toBe(text);
});

test("a folder in the file's place is SETTINGS_INVALID", async () => {
  const directory = folder();
  mkdirSync(join(directory, "config.json"));
  for (const argv of [["list"], ["set", "project", "my-project"]]) {
    const { exitCode, stderr } = await runCli(["config", ...argv], { env: { CLOUDRUN_OAUTH_CONFIG_DIR: directory } });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`Can't read ${join(directory, "config.json")}: EISDIR`)]);
  }
});

test.skipIf(process.platform === "win32" || userInfo().uid === 0)("a file that can't be read or written is SETTINGS_INVALID", async () => {
  const directory = folder({ "config.json": "{}" });
  const path = join(directory, "config.json");
  chmodSync(path, 0o000);
  const unreadable = await failure((async () => openProfiles(directory, undefined).current())());
  chmodSync(path, 0o600);
  chmodSync(directory, 0o500);
  const unwritable = await failure((async () => openProfiles(directory, undefined).use("work"))());
  chmodSync(directory, 0o700);
  expect([unreadable.code, unwritable.code]).toEqual(["SETTINGS_INVALID", "SETTINGS_INVALID"]);
  expect([unreadable.message, unwritable.message]).toEqual([
    expect.stringContaining(`Can't read ${path}: EACCES`),
    expect.stringContaining(`Can't write ${path}: EACCES`),
  ]);
});

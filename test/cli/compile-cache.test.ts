import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import * as nodeModule from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newcomer, type User } from "../helpers/bin.ts";

const HAS_CACHE = "enableCompileCache" in nodeModule;

const homeOf = (user: User): string => join(user.folder, "home");
const cacheOf = (user: User): string => join(homeOf(user), ".cache", "cloudrun-oauth", "code");

async function help(user: User, env: Readonly<Record<string, string | undefined>> = {}): Promise<void> {
  const { exitCode, stdout, stderr } = await user.run(["help", "invoke"], { env: { NODE_COMPILE_CACHE: undefined, ...env } });
  expect({ exitCode, stderr, stdout }).toEqual({
    exitCode: 0,
    stderr: "",
    stdout: expect.stringContaining("Usage: cloudrun-oauth invoke"),
  });
}

test.runIf(HAS_CACHE)("compiled code is kept in the user's cache folder if only the user can open it", async () => {
  const user = newcomer();
  await help(user);
  expect(readdirSync(cacheOf(user))).toEqual([expect.stringContaining(process.version)]);
  expect(statSync(cacheOf(user)).mode & 0o777).toBe(0o700);
  await help(user);

  chmodSync(cacheOf(user), 0o777);
  await help(user);
  expect(statSync(cacheOf(user)).mode & 0o777).toBe(0o700);

  const others = mkdtempSync(join(user.temporary, "others-"));
  rmSync(cacheOf(user), { recursive: true });
  symlinkSync(others, cacheOf(user));
  await help(user);
  expect(readdirSync(others)).toEqual([]);
});

test("nothing is kept with NODE_DISABLE_COMPILE_CACHE or without a home folder", async () => {
  const user = newcomer();
  await help(user, { NODE_DISABLE_COMPILE_CACHE: "1" });
  await help(user, { HOME: "/dev/null" });
  expect(readdirSync(homeOf(user))).toEqual([]);
});

test.runIf(HAS_CACHE)("NODE_COMPILE_CACHE names another folder", async () => {
  const user = newcomer();
  const elsewhere = join(user.temporary, "compiled");
  await help(user, { NODE_COMPILE_CACHE: elsewhere });
  expect(readdirSync(elsewhere)).toEqual([expect.stringContaining(process.version)]);
  expect(readdirSync(homeOf(user))).toEqual([]);
});

test("the command line works with any Node, and keeps compiled code only if Node can", async () => {
  const user = newcomer();
  await help(user);
  expect(readdirSync(homeOf(user))).toEqual(HAS_CACHE ? [".cache"] : []);
});

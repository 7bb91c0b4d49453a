import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import * as nodeModule from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newcomer, type User } from "../helpers/bin.ts";

/** Node 22 and those after it keep the code by themselves. */
const IS_OURS = !("enableCompileCache" in nodeModule);

const homeOf = (user: User): string => join(user.folder, "home");
const cacheOf = (user: User): string => join(homeOf(user), ".cache", "cloudrun-oauth", "code");

/** Runs a command that loads much, and keeps what it compiles in the user's caches. */
async function help(user: User, env: Readonly<Record<string, string | undefined>> = {}): Promise<void> {
  const { exitCode, stdout, stderr } = await user.run(["help", "invoke"], { env: { NODE_COMPILE_CACHE: undefined, ...env } });
  expect({ exitCode, stderr, stdout }).toEqual({
    exitCode: 0,
    stderr: "",
    stdout: expect.stringContaining("Usage: cloudrun-oauth invoke"),
  });
}

/** Our own folder in the cache with its files, and what each is by: a file that was written anew is another one. */
function keptBy(user: User): { readonly folder: string; readonly files: readonly string[]; readonly numbers: readonly number[] } {
  const [name = ""] = readdirSync(cacheOf(user));
  const folder = join(cacheOf(user), name);
  const files = readdirSync(folder).map((file) => join(folder, file));
  return { folder, files, numbers: files.map((file) => statSync(file).ino) };
}

test("what was compiled is kept in the user's cache folder, for the user alone", async () => {
  const user = newcomer();
  await help(user);
  const { folder, files } = keptBy(user);
  expect(folder).toContain(`${process.version}-${process.arch}`);
  expect(files).not.toEqual([]);
  expect(statSync(join(homeOf(user), ".cache", "cloudrun-oauth")).mode & 0o077).toBe(0);
});

test("NODE_DISABLE_COMPILE_CACHE keeps nothing, NODE_COMPILE_CACHE says where, and a user without a home has none", async () => {
  const user = newcomer();
  await help(user, { NODE_DISABLE_COMPILE_CACHE: "1" });
  await help(user, { HOME: "/dev/null" });
  expect(readdirSync(homeOf(user))).toEqual([]);
  const elsewhere = join(user.temporary, "compiled");
  await help(user, { NODE_COMPILE_CACHE: elsewhere });
  expect(readdirSync(elsewhere)).toEqual([expect.stringContaining(process.version)]);
  expect(readdirSync(homeOf(user))).toEqual([]);
});

test.runIf(IS_OURS)("a second start takes what the first has kept; one file that is damaged is compiled and written anew", async () => {
  const user = newcomer();
  await help(user);
  const { files, numbers } = keptBy(user);
  await help(user);
  expect(keptBy(user)).toMatchObject({ files, numbers });

  const [damaged = ""] = files;
  const kept = readFileSync(damaged);
  // V8 would run it, and might never end.
  for (let at = 200; at < kept.length; at += 1000) kept[at] = ~(kept[at] ?? 0);
  writeFileSync(damaged, kept);
  await help(user);
  expect(readFileSync(damaged).equals(kept)).toBe(false);
  const mended = keptBy(user);
  await help(user);
  expect(keptBy(user)).toEqual(mended);
});

test.runIf(IS_OURS)("code that others could have put there is not run", async () => {
  const user = newcomer();
  await help(user);
  const before = keptBy(user);
  chmodSync(before.folder, 0o777);
  await help(user);
  const after = keptBy(user);
  expect(statSync(after.folder).mode & 0o777).toBe(0o700);
  expect(after.numbers).not.toEqual(before.numbers);

  const others = join(user.temporary, "others");
  renameSync(after.folder, others);
  symlinkSync(others, after.folder);
  await help(user);
  expect(keptBy(user).numbers).toEqual(after.numbers);
});

test.runIf(IS_OURS)("what another version of the program has left is removed after a month", async () => {
  const user = newcomer();
  const folder = join(cacheOf(user), `${process.version}-${process.arch}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [old, young] = ["old.cjs", "young.cjs"].map((name) => join(folder, name)) as [string, string];
  for (const path of [old, young]) writeFileSync(path, "");
  const longAgo = Date.now() / 1000 - 40 * 24 * 3600;
  utimesSync(old, longAgo, longAgo);
  await help(user);
  expect([old, young].map((path) => existsSync(path))).toEqual([false, true]);
});

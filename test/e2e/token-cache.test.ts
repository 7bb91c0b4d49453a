import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HOME, newcomer, startDetached, type User } from "../helpers/bin.ts";

const AUDIENCE = "https://hello-abc123-uc.a.run.app";
const atEnd: (() => Promise<void> | void)[] = [];
let user: User;
let env: Record<string, string>;
let tokens: string;

beforeAll(async () => {
  user = newcomer((cleanUp) => void atEnd.push(cleanUp));
  await startDetached(user);
  const found = JSON.parse((await user.run(["emulator", "env", "--json", ...HOME])).stdout) as Record<string, string | null>;
  env = Object.fromEntries(Object.entries(found).filter((entry): entry is [string, string] => entry[1] !== null));
  tokens = join(env["CLOUDRUN_OAUTH_CACHE_DIR"] ?? "", "tokens");
});

afterAll(async () => {
  await user.run(["emulator", "stop", ...HOME]);
  for (const cleanUp of atEnd.toReversed()) await cleanUp();
});

const token = (argv: readonly string[] = [], more: Record<string, string> = {}) =>
  user.run(["token", AUDIENCE, ...argv], { env: { ...env, ...more } });

/** Whether there is more than some Nodes' own warning of the proxy that the emulator's environment names. */
const saysAnything = (stderr: string) => stderr.split("\n").some((line) => line !== "" && !/^\(node:\d+\) |^\(Use `node /.test(line));

test("fifty processes at once get a good token each, and leave one whole file that nobody else may read", async () => {
  const cache = join(user.temporary, "fifty");
  const found = await Promise.all(Array.from({ length: 50 }, () => token([], { CLOUDRUN_OAUTH_CACHE_DIR: cache })));
  expect(found.filter(({ exitCode, stderr }) => exitCode !== 0 || saysAnything(stderr))).toEqual([]);
  const names = readdirSync(join(cache, "tokens"));
  expect(names).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.json$/)]);
  const path = join(cache, "tokens", names[0] ?? "");
  expect([cache, dirname(path), path].map((each) => statSync(each).mode & 0o077)).toEqual([0, 0, 0]);
  const kept = JSON.parse(readFileSync(path, "utf8"));
  expect(found.map(({ stdout }) => stdout.trimEnd())).toContain(kept.token);
  expect((await token([], { CLOUDRUN_OAUTH_CACHE_DIR: cache })).stdout).toBe(`${kept.token}\n`);
}, 180_000);

test("an emulator's tokens are kept with it: nothing comes into the user's caches, and its clock ends them", async () => {
  const { stdout } = await token();
  expect((await token()).stdout).toBe(stdout);
  expect(readdirSync(tokens)).toHaveLength(1);
  expect(readdirSync(join(user.folder, "home"))).not.toContain(".cache");
  expect((await user.run(["emulator", "clock", "+30s", ...HOME])).exitCode).toBe(0);
  expect(existsSync(tokens)).toBe(false);
  const later = await token();
  expect(later).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^eyJ/) });
  expect(later.stdout).not.toBe(stdout);
});

test("where the cache cannot be written, a token is got all the same", async () => {
  const inTheWay = join(user.temporary, "file");
  mkdirSync(user.temporary, { recursive: true });
  writeFileSync(inTheWay, "");
  const found = await token([], { CLOUDRUN_OAUTH_CACHE_DIR: inTheWay });
  expect(found).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^eyJ/) });
  expect(saysAnything(found.stderr)).toBe(false);
});

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
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import type { Credentials } from "../../src/auth/credentials.ts";
import { serviceAccountCredentials } from "../../src/auth/credential-types/service-account.ts";
import { parseServiceAccountKey } from "../../src/auth/service-account-key.ts";
import { withCache, type CacheOptions } from "../../src/auth/token-cache.ts";
import { createSend } from "../../src/http/client.ts";
import { temporaryDirectory } from "../helpers/api-server.ts";
import { failure } from "../helpers/failure.ts";
import { forge, openIdentity, serveIdentity } from "../helpers/identity.ts";
import { keyFields, PEM } from "../helpers/key-file.ts";

const AUDIENCE = "https://hello-abc123-uc.a.run.app";

/** Credentials of the emulator's caller, whose requests are counted; `open` starts like a new process, with only the folder. */
async function openCache(folder = temporaryDirectory()) {
  const identity = await openIdentity({ live: true });
  const { port } = await serveIdentity(identity);
  const env = { CLOUDRUN_OAUTH_EMULATOR: `http://127.0.0.1:${port}`, CLOUDRUN_OAUTH_CACHE_DIR: folder };
  const credentials = serviceAccountCredentials(parseServiceAccountKey(keyFields(), "The key"), "a test", {
    send: createSend({ env }),
    env,
  });
  const asked: string[] = [];
  const counted: Credentials = {
    ...credentials,
    fetchIdToken: (audience) => {
      asked.push(audience);
      return credentials.fetchIdToken(audience);
    },
  };
  const tokens = join(folder, "tokens");
  return {
    asked,
    env,
    tokens,
    counted,
    files: () => (existsSync(tokens) ? readdirSync(tokens) : []),
    open: (options?: CacheOptions, world = {}) => withCache(counted, { env, ...world }, options),
  };
}

/** Credentials whose tokens are valid for some seconds of the clock; `asked` counts requests. */
function shortLived(clock: { now: number }, seconds: () => number, ahead = 0): Credentials & { asked: number } {
  const made: Credentials & { asked: number } = {
    asked: 0,
    principal: "serviceAccount:caller@demo-project.iam.gserviceaccount.com",
    description: "a test",
    identity: ["caller"],
    tokenRequest: { method: "POST", url: "https://oauth2.googleapis.com/token" },
    async fetchIdToken(aud: string) {
      made.asked += 1;
      const life = seconds();
      if (life === 0) throw new Error("down");
      const iat = Math.floor(clock.now / 1000) + ahead;
      return forge({ alg: "none" }, { aud, iat, exp: iat + life, jti: made.asked });
    },
    fetchAccessToken: () => Promise.reject(new Error("not asked for")),
  };
  return made;
}

test("a process reuses the previous process's token, and fetches one for another audience", async () => {
  const { open, asked } = await openCache();
  const first = open();
  const token = await first.fetchIdToken(AUDIENCE);
  expect(await Promise.all([first, open(), open()].map((each) => each.fetchIdToken(AUDIENCE)))).toEqual([token, token, token]);
  expect(asked).toEqual([AUDIENCE]);
  expect(await open().fetchIdToken(`${AUDIENCE}/other`)).not.toBe(token);
  expect(asked).toEqual([AUDIENCE, `${AUDIENCE}/other`]);
});

test("concurrent calls fetch one token", async () => {
  const { open, asked } = await openCache();
  const credentials = open();
  const tokens = await Promise.all(Array.from({ length: 20 }, () => credentials.fetchIdToken(AUDIENCE)));
  expect([new Set(tokens).size, asked.length]).toEqual([1, 1]);
});

test("folder and file are accessible to their owner only, and reveal nothing but the token", async () => {
  const { open, tokens, files } = await openCache(join(temporaryDirectory(), "not", "yet", "there"));
  const token = await open().fetchIdToken(AUDIENCE);
  const [name = "", ...others] = files();
  expect([name, others]).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.json$/), []]);
  const modes = [tokens, dirname(tokens), join(tokens, name)].map((path) => (statSync(path).mode & 0o777).toString(8));
  expect(modes).toEqual(["700", "700", "600"]);
  const text = readFileSync(join(tokens, name), "utf8");
  expect(JSON.parse(text)).toEqual({ token, audience: AUDIENCE, expires: expect.any(Number) });
  expect(text).not.toContain(PEM.split("\n")[1]);
});

test("a folder that others can enter is made private before a token is written, and a file that they can read is ignored", async () => {
  const { open, tokens, files, asked } = await openCache();
  mkdirSync(tokens);
  chmodSync(tokens, 0o755);
  await open().fetchIdToken(AUDIENCE);
  expect((statSync(tokens).mode & 0o777).toString(8)).toBe("700");
  chmodSync(join(tokens, files()[0] ?? ""), 0o644);
  await open().fetchIdToken(AUDIENCE);
  expect(asked).toHaveLength(2);
  expect((statSync(join(tokens, files()[0] ?? "")).mode & 0o777).toString(8)).toBe("600");
});

test.for([
  ["half of it", (text: string) => text.slice(0, 40)],
  ["nothing", () => ""],
  ["another type", () => "[1]"],
  ["null", () => "null"],
  ["no end", (text: string) => text.replace(/"expires":\d+/, '"expires":"soon"')],
  ["an end that the token has not", (text: string) => text.replace(/"expires":\d+/, '"expires":9999999999')],
  ["another audience's", (text: string) => text.replace(AUDIENCE, "https://other.example.com")],
  ["no token", (text: string) => text.replace(/"token":"[^"]*"/, '"token":"x"')],
  ["more than a token", (text: string) => text.padEnd(100_000)],
] as const)("an entry with %s is ignored and replaced", async ([, spoil]) => {
  const { open, tokens, files, asked } = await openCache();
  await open().fetchIdToken(AUDIENCE);
  const path = join(tokens, files()[0] ?? "");
  writeFileSync(path, spoil(readFileSync(path, "utf8")));
  const token = await open().fetchIdToken(AUDIENCE);
  expect(asked).toHaveLength(2);
  expect(await open().fetchIdToken(AUDIENCE)).toBe(token);
  expect(asked).toHaveLength(2);
});

test("an entry under another entry's name is ignored", async () => {
  const { open, tokens, files, asked } = await openCache();
  await open().fetchIdToken(AUDIENCE);
  const [first = ""] = files();
  await open().fetchIdToken("https://other.example.com");
  const second = files().find((name) => name !== first) ?? "";
  renameSync(join(tokens, first), join(tokens, second));
  await open().fetchIdToken("https://other.example.com");
  expect(asked).toHaveLength(3);
});

test.for(["a file", "a link to a folder"] as const)("with %s in place of the folder, nothing is cached on disk", async (obstacle) => {
  const { open, tokens, asked } = await openCache();
  const elsewhere = temporaryDirectory();
  chmodSync(elsewhere, 0o755);
  if (obstacle === "a file") writeFileSync(tokens, "in the way");
  else symlinkSync(elsewhere, tokens);
  await open().fetchIdToken(AUDIENCE);
  expect(await open().fetchIdToken(AUDIENCE)).toMatch(/^eyJ/);
  expect([asked.length, readdirSync(elsewhere), (statSync(elsewhere).mode & 0o777).toString(8)]).toEqual([2, [], "755"]);
});

test("without a home folder, nothing is cached on disk", async () => {
  const { counted, asked } = await openCache();
  for (const env of [{ HOME: "/dev/null" }, { XDG_CACHE_HOME: "/dev/null/x" }]) await withCache(counted, { env }).fetchIdToken(AUDIENCE);
  expect(asked).toHaveLength(2);
});

test("cache: false neither reads nor writes the disk", async () => {
  const { open, files, asked } = await openCache();
  await open({ cache: false }).fetchIdToken(AUDIENCE);
  expect(files()).toEqual([]);
  await open().fetchIdToken(AUDIENCE);
  await open({ cache: false }).fetchIdToken(AUDIENCE);
  expect(asked).toHaveLength(3);
});

test("a token that expires before the requested time is replaced", async () => {
  const clock = { now: Date.now() };
  const env = { CLOUDRUN_OAUTH_CACHE_DIR: temporaryDirectory() };
  const credentials = shortLived(clock, () => 3600);
  const open = (options?: CacheOptions) => withCache(credentials, { env, now: () => clock.now }, options);
  await open().fetchIdToken(AUDIENCE);
  clock.now += 40 * 60_000;
  await open({ minTtlMs: 19 * 60_000 }).fetchIdToken(AUDIENCE);
  expect(credentials.asked).toBe(1);
  await open({ minTtlMs: 21 * 60_000 }).fetchIdToken(AUDIENCE);
  expect(credentials.asked).toBe(2);
  clock.now += 54 * 60_000;
  await open().fetchIdToken(AUDIENCE);
  expect(credentials.asked).toBe(2);
  clock.now += 2 * 60_000;
  await open().fetchIdToken(AUDIENCE);
  expect(credentials.asked).toBe(3);
});

test("a new token that expires before the requested time is an error, unless no time was requested", async () => {
  const clock = { now: Date.now() };
  const env = { CLOUDRUN_OAUTH_CACHE_DIR: temporaryDirectory() };
  const credentials = shortLived(clock, () => 240);
  const open = (options?: CacheOptions) => withCache(credentials, { env, now: () => clock.now }, options);
  expect(await failure(open({ minTtlMs: 30 * 60_000 }).fetchIdToken(AUDIENCE))).toMatchObject({
    code: "TOKEN_REFUSED",
    message: expect.stringContaining("valid for 30 min: a new one is valid for "),
  });
  expect(await open().fetchIdToken(AUDIENCE)).toMatch(/^eyJ/);
});

test("in a long run, a token that is about to expire is used while the next one is fetched; a failure surfaces only when it has expired", async () => {
  const clock = { now: Date.now() };
  let life = 3600;
  const credentials = shortLived(clock, () => life);
  const world = { env: { CLOUDRUN_OAUTH_CACHE_DIR: temporaryDirectory() }, now: () => clock.now };
  const run = withCache(credentials, world, { isLongRun: true });
  const first = await run.fetchIdToken(AUDIENCE);
  clock.now += 51 * 60_000;
  life = 0;
  expect(await run.fetchIdToken(AUDIENCE)).toBe(first);
  expect(await run.fetchIdToken(AUDIENCE)).toBe(first);
  // Not once per call.
  expect(credentials.asked).toBe(2);
  clock.now += 60_000;
  life = 3600;
  expect(await run.fetchIdToken(AUDIENCE)).toBe(first);
  await expect.poll(() => run.fetchIdToken(AUDIENCE)).not.toBe(first);
  expect(credentials.asked).toBe(3);
  clock.now += 3600_000;
  life = 0;
  await expect(run.fetchIdToken(AUDIENCE)).rejects.toThrow("down");
});

test("a rejected token is removed from disk too, unless another process has written a newer one", async () => {
  const { open, files, asked } = await openCache();
  const token = await open().fetchIdToken(AUDIENCE);
  const later = open();
  await later.fetchIdToken(AUDIENCE);
  expect(later.rejected(AUDIENCE, "another")).toBe(true);
  expect(files()).toHaveLength(1);
  expect(later.rejected(AUDIENCE, token)).toBe(true);
  expect(files()).toEqual([]);
  const next = await later.fetchIdToken(AUDIENCE);
  // The token is new: a third one would be rejected as well.
  expect(later.rejected(AUDIENCE, next)).toBe(false);
  expect(asked).toHaveLength(2);
});

test("a new token that is rejected is worth replacing only if it has been accepted before", async () => {
  const cache = (await openCache()).open();
  const token = await cache.fetchIdToken(AUDIENCE);
  expect(cache.rejected(AUDIENCE, token)).toBe(false);
  const next = await cache.fetchIdToken(AUDIENCE);
  cache.accepted(next);
  expect(cache.rejected(AUDIENCE, next)).toBe(true);
});

test("a token of one emulator is never used for another, or for Google", async () => {
  const folder = temporaryDirectory();
  const [one, two] = [await openCache(folder), await openCache(folder)];
  const tokens = [await one.open().fetchIdToken(AUDIENCE), await two.open().fetchIdToken(AUDIENCE)];
  expect([one.asked.length, two.asked.length]).toEqual([1, 1]);
  expect(await one.open().fetchIdToken(AUDIENCE)).toBe(tokens[0]);
  const google: Credentials = { ...one.counted, fetchIdToken: () => Promise.reject(new Error("Google is asked")) };
  await expect(withCache(google, { env: { CLOUDRUN_OAUTH_CACHE_DIR: folder } }).fetchIdToken(AUDIENCE)).rejects.toThrow("Google is asked");
});

test("expired tokens and files that a killed process left are deleted when the next token is written", async () => {
  const { open, tokens, files } = await openCache();
  await open().fetchIdToken(AUDIENCE);
  const [old = ""] = files();
  writeFileSync(join(tokens, `${old}.1234.new`), "half");
  const twoHoursAgo = Date.now() / 1000 - 7200;
  for (const name of files()) utimesSync(join(tokens, name), twoHoursAgo, twoHoursAgo);
  await open().fetchIdToken("https://other.example.com");
  expect(files()).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.json$/)]);
  expect(files()).not.toContain(old);
});

test.for([7200, -7200])("with a clock that is %s seconds off, no token is used for longer than its lifetime", async (ahead) => {
  const clock = { now: Date.now() };
  const cached = withCache(
    shortLived(clock, () => 3600, ahead),
    { env: {}, now: () => clock.now },
    { cache: false },
  );
  const first = await cached.fetchIdToken(AUDIENCE);
  clock.now += 3_301_000;
  expect(await cached.fetchIdToken(AUDIENCE)).not.toBe(first);
});

test("a token that is still valid is used if no other can be fetched, and only until it expires", async () => {
  const clock = { now: Date.now() };
  let life = 3600;
  const cached = withCache(
    shortLived(clock, () => life),
    { env: {}, now: () => clock.now },
    { cache: false },
  );
  const first = await cached.fetchIdToken(AUDIENCE);
  life = 0;
  clock.now += 3_500_000;
  expect(await cached.fetchIdToken(AUDIENCE)).toBe(first);
  clock.now += 95_000;
  await expect(cached.fetchIdToken(AUDIENCE)).rejects.toThrow("down");
});

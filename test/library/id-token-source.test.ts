import { expect, test } from "vitest";
import { openIdTokenSource } from "../../src/library/id-token-source.ts";
import { forge, NOW } from "../helpers/identity.ts";

/** A source with a test clock and a test token endpoint, whose clock is `ahead` seconds off. */
function openSource({ lifetime = 3600, ahead = 0 } = {}) {
  const world = { seconds: NOW, exchanges: 0, isDown: false };
  const source = openIdTokenSource(
    async () => {
      if (world.isDown) throw new Error("down");
      world.exchanges += 1;
      const iat = world.seconds + ahead;
      return forge({ alg: "RS256" }, { iat, exp: iat + lifetime, jti: world.exchanges });
    },
    () => world.seconds * 1000,
  );
  return { world, source };
}

test("a token is cached until five minutes before it expires", async () => {
  const { world, source } = openSource();
  const first = await source.get();
  expect(first.isNew).toBe(true);
  world.seconds += 3299;
  expect(await source.get()).toEqual({ token: first.token, isNew: false });
  world.seconds += 1;
  const second = await source.get();
  expect([second.isNew, second.token === first.token, world.exchanges]).toEqual([true, false, 2]);
});

test.for([7200, -7200])("with a clock that is %s seconds off, no token is cached beyond its lifetime", async (ahead) => {
  const { world, source } = openSource({ ahead });
  await source.get();
  world.seconds += 3301;
  expect((await source.get()).isNew).toBe(true);
});

test("a token that is still valid is used if no other can be fetched, and only until it expires", async () => {
  const { world, source } = openSource();
  const { token } = await source.get();
  world.isDown = true;
  world.seconds += 3500;
  expect(await source.get()).toEqual({ token, isNew: false });
  world.seconds += 95;
  await expect(source.get()).rejects.toThrow("down");
  world.isDown = false;
  expect((await source.get()).isNew).toBe(true);
});

test("a rejected token is dropped, and only that one", async () => {
  const { world, source } = openSource();
  const { token } = await source.get();
  source.forget("another");
  expect((await source.get()).isNew).toBe(false);
  source.forget(token);
  expect((await source.get()).isNew).toBe(true);
  source.forget(token);
  expect([(await source.get()).isNew, world.exchanges]).toEqual([false, 2]);
});

test("a token that isn't a JWT isn't cached", async () => {
  const source = openIdTokenSource(async () => "opaque");
  expect([await source.get(), await source.get()]).toEqual([
    { token: "opaque", isNew: true },
    { token: "opaque", isNew: true },
  ]);
});

import { expect, onTestFinished, test } from "vitest";
import { openTokenKeeper } from "../../../src/commands/proxy/token-refresh.ts";

/** Tokens that are good for so many seconds each, in turn; what is no number fails. */
function keep(...lives: readonly (number | Error)[]) {
  const forgotten: string[] = [];
  const acceptedTokens = new Set<string>();
  let fetched = 0;
  const credentials = {
    async fetchIdToken() {
      const life = lives[Math.min(fetched, lives.length - 1)] as number | Error;
      fetched += 1;
      if (life instanceof Error) throw life;
      const claims = { exp: Math.floor(Date.now() / 1000) + life, number: fetched };
      return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;
    },
    accepted: (token: string) => void acceptedTokens.add(token),
    forget(_: string, token: string) {
      forgotten.push(token);
      return acceptedTokens.has(token);
    },
  };
  const keeper = openTokenKeeper(credentials, "https://hello-abc123-uc.a.run.app");
  onTestFinished(() => keeper.close());
  return { keeper, forgotten, fetched: () => fetched };
}

test("a token is waited for once, and at hand from then on", async () => {
  const { keeper, fetched } = keep(3600);
  const token = keeper.get();
  expect(token).toBeInstanceOf(Promise);
  expect(keeper.get()).toBeInstanceOf(Promise);
  await token;
  expect(typeof keeper.get()).toBe("string");
  expect(keeper.expires()).toBeGreaterThan(Date.now() + 3_500_000);
  expect(fetched()).toBe(2);
});

test("a token that nears its end is given out while the next one is fetched, even where that fails at first", async () => {
  const { keeper, fetched } = keep(500, new Error("no network"), 3600);
  const first = await keeper.get();
  expect(keeper.get()).toBe(first);
  expect(keeper.get()).toBe(first);
  await expect.poll(fetched).toBe(2);
  expect(keeper.get()).toBe(first);
});

test("a token that is as good as over is not given out any more", async () => {
  const { keeper } = keep(20, 3600, new Error("no network"));
  const first = await keeper.get();
  const second = await keeper.get();
  expect(second).not.toBe(first);
  expect(keeper.get()).toBe(second);
});

test("a refused token is dropped; that the next may do better is said where it was accepted once, or kept for long", async () => {
  const { keeper, forgotten } = keep(3600);
  const first = await keeper.get();
  expect(keeper.refused(first)).toBe(false);
  const second = await keeper.get();
  keeper.accepted(second);
  expect(keeper.refused(second)).toBe(true);
  expect(forgotten).toEqual([first, second]);
});

import { expect, onTestFinished, test } from "vitest";
import { openTokenSource } from "../../../src/commands/proxy/token-source.ts";

/** Tokens that are valid for these numbers of seconds, in turn; an Error is thrown instead. */
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
    rejected(_: string, token: string) {
      forgotten.push(token);
      return acceptedTokens.has(token);
    },
  };
  const tokens = openTokenSource(credentials, "https://hello-abc123-uc.a.run.app");
  onTestFinished(() => tokens.close());
  return { tokens, forgotten, fetched: () => fetched };
}

test("only the first request waits for a token", async () => {
  const { tokens, fetched } = keep(3600);
  const token = tokens.get();
  expect(token).toBeInstanceOf(Promise);
  expect(tokens.get()).toBeInstanceOf(Promise);
  await token;
  expect(typeof tokens.get()).toBe("string");
  expect(tokens.expires()).toBeGreaterThan(Date.now() + 3_500_000);
  expect(fetched()).toBe(2);
});

test("a token that expires soon is used while the next one is fetched, even if that fails at first", async () => {
  const { tokens, fetched } = keep(500, new Error("no network"), 3600);
  const first = await tokens.get();
  expect(tokens.get()).toBe(first);
  expect(tokens.get()).toBe(first);
  await expect.poll(fetched).toBe(2);
  expect(tokens.get()).toBe(first);
});

test("a token that is about to expire isn't used anymore", async () => {
  const { tokens } = keep(20, 3600, new Error("no network"));
  const first = await tokens.get();
  const second = await tokens.get();
  expect(second).not.toBe(first);
  expect(tokens.get()).toBe(second);
});

test("a refused token is dropped; that the next may do better is said where it was accepted once, or kept for long", async () => {
  const { tokens, forgotten } = keep(3600);
  const first = await tokens.get();
  expect(tokens.rejected(first)).toBe(false);
  const second = await tokens.get();
  tokens.accepted(second);
  expect(tokens.rejected(second)).toBe(true);
  expect(forgotten).toEqual([first, second]);
});

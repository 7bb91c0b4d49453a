import { expect, test } from "vitest";
import { createTokens } from "../../src/call/tokens.ts";

/** Credentials whose tokens end after so many seconds, and which count them. */
function credentials(seconds: number) {
  let fetched = 0;
  return {
    fetchIdToken: async (audience: string) => {
      fetched += 1;
      const claims = { aud: audience, exp: Math.floor(Date.now() / 1000) + seconds, number: fetched };
      return `eyJ.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;
    },
  };
}

test("a token serves one audience, over and over, until it is forgotten", async () => {
  const tokens = createTokens(credentials(3600));
  const first = await tokens.get("a");
  expect(first.isNew).toBe(true);
  expect(await tokens.get("a")).toEqual({ token: first.token, isNew: false });
  expect((await tokens.get("b")).isNew).toBe(true);
  tokens.forget("a");
  const next = await tokens.get("a");
  expect([next.isNew, next.token === first.token]).toEqual([true, false]);
  expect((await tokens.get("b")).isNew).toBe(false);
});

test("a token that is about to end is not used again", async () => {
  const tokens = createTokens(credentials(59));
  const { token } = await tokens.get("a");
  const next = await tokens.get("a");
  expect([next.isNew, next.token === token]).toEqual([true, false]);
});

import { expect, test } from "vitest";
import { findAccessToken, issueAccessToken } from "../../../src/emulator/oauth2/access-tokens.ts";
import { reopenState, temporaryDirectory } from "../../helpers/api-server.ts";

test("expired tokens are removed while new ones are issued, and valid ones stay", () => {
  const state = reopenState(temporaryDirectory());
  const issue = (expires: number): string => issueAccessToken(state, { email: "a@example.com", scopes: [], expires });
  const seconds = Math.floor(state.now() / 1000);
  const lasting = Array.from({ length: 10 }, () => issue(seconds + 3600));
  let most = 0;
  for (let number = 0; number < 3000; number += 1) {
    issue(seconds - 1);
    most = Math.max(most, state.accessTokens.keys().length);
  }
  expect(most).toBeLessThan(1100);
  expect(lasting.map((token) => findAccessToken(state, token)?.expires)).toEqual(lasting.map(() => seconds + 3600));
});

test("an expired token differs from one that was never issued, as long as few are issued", () => {
  const state = reopenState(temporaryDirectory());
  const token = issueAccessToken(state, { email: "a@example.com", scopes: [], expires: 1 });
  issueAccessToken(state, { email: "a@example.com", scopes: [], expires: 1 });
  expect(findAccessToken(state, token)).toMatchObject({ expires: 1 });
  expect(findAccessToken(state, `${token}x`)).toBeUndefined();
});

import { expect, test } from "vitest";
import { authenticate } from "../../../src/emulator/iam/authenticate.ts";
import type { ApiError } from "../../../src/emulator/server/errors.ts";
import { issueAccessToken } from "../../../src/emulator/oauth2/access-tokens.ts";
import { openTestState, OWNER } from "../../helpers/api-server.ts";

const NOW = 1_795_435_200_000;
const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";
const REALM = 'Bearer realm="https://accounts.google.com/"';

function openState({ scopes = [CLOUD_PLATFORM], expires = NOW / 1000 + 3600, email = OWNER } = {}) {
  const state = openTestState();
  return { state, token: issueAccessToken(state, { email, scopes, expires }) };
}

function refusalOf(act: () => unknown): { status: string; message: string; reason: unknown; headers: object } {
  try {
    act();
  } catch (error) {
    const { status, message, details, headers } = error as ApiError;
    return { status, message, reason: (details[0] as { reason?: unknown })["reason"], headers };
  }
  throw new Error("Nothing was refused");
}

test("an access token identifies the caller; the scheme's case doesn't matter", () => {
  const { state, token } = openState();
  for (const scheme of ["Bearer", "bearer", "BEARER "]) {
    const principal = authenticate({ host: "run.googleapis.com", authorization: `${scheme} ${token}` }, state, NOW);
    expect(principal).toEqual({ member: `serviceAccount:${OWNER}`, email: OWNER, scopes: [CLOUD_PLATFORM] });
  }
});

test.for([undefined, "", "Basic abc", "Bearer", "Bearer a b"])("the Authorization header %o isn't a credential", (authorization) => {
  const { state } = openState();
  expect(
    refusalOf(() => authenticate({ host: "run.googleapis.com", ...(authorization !== undefined && { authorization }) }, state, NOW)),
  ).toEqual({
    status: "UNAUTHENTICATED",
    message:
      "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
    reason: "CREDENTIALS_MISSING",
    headers: { "www-authenticate": REALM },
  });
});

test.for([
  ["that was never issued", "ACCESS_TOKEN_TYPE_UNSUPPORTED", () => ({ ...openState(), token: "ya29.x" })],
  ["that has expired", "ACCESS_TOKEN_EXPIRED", () => openState({ expires: NOW / 1000 })],
  ["of an account that is gone", "ACCOUNT_STATE_INVALID", () => openState({ email: "gone@demo-project.iam.gserviceaccount.com" })],
  [
    "of an account that is disabled",
    "ACCOUNT_STATE_INVALID",
    () => {
      const opened = openState();
      opened.state.serviceAccounts.set(OWNER, { ...opened.state.serviceAccounts.get(OWNER)!, disabled: true });
      return opened;
    },
  ],
] as const)("an access token %s is refused as %s", ([, reason, open]) => {
  const { state, token } = open();
  expect(
    refusalOf(() => authenticate({ host: "us-central1-run.googleapis.com:443", authorization: `Bearer ${token}` }, state, NOW)),
  ).toEqual({
    status: "UNAUTHENTICATED",
    message:
      "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
    reason,
    headers: { "www-authenticate": `${REALM}, error="invalid_token"` },
  });
});

test("insufficient scopes are refused; an API's own scope suffices for that API only", () => {
  const { state, token } = openState({ scopes: ["openid", "https://www.googleapis.com/auth/devstorage.read_write"] });
  const authorization = `Bearer ${token}`;
  expect(authenticate({ host: "storage.googleapis.com", authorization }, state, NOW).email).toBe(OWNER);
  expect(refusalOf(() => authenticate({ host: "run.googleapis.com", authorization }, state, NOW))).toEqual({
    status: "PERMISSION_DENIED",
    message: "Request had insufficient authentication scopes.",
    reason: "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    headers: { "www-authenticate": `${REALM}, error="insufficient_scope", scope="${CLOUD_PLATFORM}"` },
  });
});

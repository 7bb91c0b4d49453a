import { JWT } from "google-auth-library";
import { expect, test } from "vitest";
import { createAssertion } from "../../src/auth/assertion.ts";
import { parseServiceAccountKey } from "../../src/auth/service-account-key.ts";
import { isSignedBy, parseJwt } from "../../src/emulator/oauth2/jwt.ts";
import { CALLER_PAIR, NOW } from "../helpers/identity.ts";
import { EMAIL, keyFields, PEM } from "../helpers/key-file.ts";

const KEY = parseServiceAccountKey(keyFields({ token_uri: "https://oauth2.googleapis.com/token" }), "The key");

test("an assertion for an ID token names key, issuer, endpoint and audience, lasts an hour, and is signed with RS256", () => {
  const jwt = parseJwt(createAssertion(KEY, { target_audience: "https://hello-uc.a.run.app" }, NOW + 0.9));
  expect(jwt?.header).toEqual({ alg: "RS256", typ: "JWT", kid: CALLER_PAIR.keyId });
  expect(jwt?.claims).toEqual({
    iss: EMAIL,
    aud: "https://oauth2.googleapis.com/token",
    iat: NOW,
    exp: NOW + 3600,
    target_audience: "https://hello-uc.a.run.app",
  });
  expect(jwt && isSignedBy(jwt, CALLER_PAIR.publicKey)).toBe(true);
});

test("an assertion for an access token has a scope instead of an audience", () => {
  const jwt = parseJwt(createAssertion(KEY, { scope: "https://www.googleapis.com/auth/cloud-platform" }, NOW));
  expect(jwt?.claims).toEqual({
    iss: EMAIL,
    aud: "https://oauth2.googleapis.com/token",
    iat: NOW,
    exp: NOW + 3600,
    scope: "https://www.googleapis.com/auth/cloud-platform",
  });
});

test.for([{ target_audience: "https://hello-uc.a.run.app" }, { scope: "https://www.googleapis.com/auth/cloud-platform" }])(
  "google-auth-library makes the same claims for %j",
  async (wanted) => {
    const sent: string[] = [];
    const fetchImplementation: typeof fetch = async (_, init) => {
      sent.push(new URLSearchParams(String(init?.body)).get("assertion") ?? "");
      return Response.json({ id_token: "a.e30.c", access_token: "token" });
    };
    const scopes = wanted.scope;
    const theirs = new JWT({ email: EMAIL, key: PEM, scopes, transporterOptions: { fetchImplementation } });
    await (wanted.scope ? theirs.authorize() : theirs.fetchIdToken(String(wanted.target_audience)));
    const claims = parseJwt(sent[0] ?? "")?.claims ?? {};
    expect(sent).toHaveLength(1);
    expect(claims).toEqual(parseJwt(createAssertion(KEY, wanted as { scope: string }, Number(claims["iat"])))?.claims);
  },
);

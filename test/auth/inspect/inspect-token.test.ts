import { generateKeyPairSync, sign } from "node:crypto";
import { expect, test } from "vitest";
import { parseToken } from "../../../src/auth/inspect/token-kind.ts";
import { inspectToken } from "../../../src/auth/inspect/inspect-token.ts";
import { issueAccessToken } from "../../../src/emulator/oauth2/access-tokens.ts";
import { createSend } from "../../../src/http/client.ts";
import type { Request, Send } from "../../../src/http/request.ts";
import { failure } from "../../helpers/failure.ts";
import { assertion, CALLER_PAIR, decode, forge, NOW, OTHER_PAIR, openIdentity, serveIdentity } from "../../helpers/identity.ts";
import { EMAIL } from "../../helpers/key-file.ts";
import { idTokenOf } from "../../helpers/service-call.ts";

const AUDIENCE = "https://hello-abc123-uc.a.run.app";

/** Inspects with a correct clock, against the emulator. */
async function openInspection() {
  const identity = await openIdentity();
  const { port } = await serveIdentity(identity);
  const asked: Request[] = [];
  const byEmulator = createSend({ env: { CLOUDRUN_OAUTH_EMULATOR: `http://127.0.0.1:${port}` } });
  // The servers of these tests have another time than the clock here.
  const send: Send = async (request) => {
    asked.push(request);
    const answer = await byEmulator(request);
    return { ...answer, headers: { ...answer.headers, date: new Date(NOW * 1000).toUTCString() } };
  };
  return {
    ...identity,
    asked,
    inspect: (token: string, { audiences = [] as readonly string[], now = NOW * 1000 + 1000 } = {}) =>
      inspectToken(parseToken(token), { send, audiences, now }),
  };
}

const codes = ({ problems }: { problems: readonly { code: string }[] }) => problems.map(({ code }) => code);

test("a service account's ID token is valid and its use is described, with any prefix", async () => {
  const { caller, inspect, asked } = await openInspection();
  const token = idTokenOf(caller, AUDIENCE);
  for (const given of [
    token,
    `  ${token}\n`,
    `Bearer ${token}`,
    `Authorization: bearer ${token}`,
    `X-Serverless-Authorization: Bearer ${token}`,
  ])
    expect(await inspect(given, { audiences: ["https://other", AUDIENCE] })).toEqual({
      kind: "id_token",
      valid: true,
      principal: `serviceAccount:${EMAIL}`,
      sentences: [
        `ID token issued to the service account ${EMAIL}.`,
        `It's for the Cloud Run service at ${AUDIENCE}. Whether the account can invoke the service isn't checked here.`,
      ],
      problems: [],
      signature: { verified: true, keys: "https://www.googleapis.com/oauth2/v3/certs" },
      audience: { found: AUDIENCE, expected: ["https://other", AUDIENCE], matches: true },
      issued_at: "2026-11-23T12:00:00Z",
      expires_at: "2026-11-23T13:00:00Z",
      clock_skew_seconds: 1,
      ...decode(token),
    });
  expect(asked.every(({ method, url }) => method === "GET" && !url.includes("eyJ"))).toBe(true);
});

test.for([
  [
    "of a user, for gcloud",
    { aud: "32555940559.apps.googleusercontent.com", email: "ada@example.com" },
    [/the user ada@example\.com/, /every Cloud Run service accepts/],
  ],
  ["for an OAuth client", { aud: "1-a.apps.googleusercontent.com" }, [/Identity-Aware Proxy/]],
  ["for a custom audience", { aud: "https://api.example.com" }, [/custom audience https/]],
  ["without an email address", { email: undefined, email_verified: undefined }, [/no email claim.*includeEmail/]],
  ["with an unverified address", { email_verified: false }, [/isn't verified/]],
  ["of a metadata server", { google: { compute_engine: { instance_name: "vm", project_id: "p" } } }, [/for instance vm in project p/]],
  ["without an audience", { aud: undefined }, [/has no audience/]],
] as const)("an ID token %s is recognized by its claims", async ([, changes, patterns]) => {
  const { caller, inspect } = await openInspection();
  const report = await inspect(idTokenOf(caller, AUDIENCE, changes));
  expect(codes(report)).toEqual([]);
  for (const pattern of patterns) expect(report.sentences.join("\n")).toMatch(pattern);
});

test("each fault of an ID token has a code", async () => {
  const { caller, inspect } = await openInspection();
  const of = (changes: object) => idTokenOf(caller, AUDIENCE, changes);
  const [header, claims] = of({}).split(".");
  const changed = Buffer.from(JSON.stringify({ ...decode(of({})).claims, email: "root@example.com" })).toString("base64url");
  for (const [token, expected] of [
    [of({ exp: NOW - 1 }), ["EXPIRED"]],
    [of({ iat: NOW + 120 }), ["NOT_YET_VALID"]],
    [of({ iat: NOW + 30 }), []],
    [`${header}.${changed}.${of({}).split(".")[2]}`, ["SIGNATURE_WRONG"]],
    [forge({ alg: "none" }, decode(of({})).claims), ["SIGNATURE_WRONG"]],
    [forge({ alg: "HS256" }, decode(of({})).claims), ["SIGNATURE_WRONG"]],
    [`${header}.${claims}.SIGNATURE_REMOVED_BY_GOOGLE`, ["SIGNATURE_REMOVED"]],
    [of({ exp: NOW - 1, aud: 7 }), ["EXPIRED", "WRONG_AUDIENCE"]],
    [of({ aud: "https://other.example.com" }), ["WRONG_AUDIENCE"]],
    [of({ aud: `${AUDIENCE}/` }), []],
  ] as const)
    expect([token, codes(await inspect(token, { audiences: token.includes("REMOVED") ? [] : [AUDIENCE] }))]).toEqual([token, expected]);
});

test("Google's clock decides, and the local clock skew is reported", async () => {
  const { caller, inspect } = await openInspection();
  const report = await inspect(idTokenOf(caller, AUDIENCE), { now: (NOW + 7200) * 1000 });
  expect([report.valid, report.clock_skew_seconds]).toEqual([true, 7200]);
});

test("an access token is sent in a request's body, never in a URL", async () => {
  const { state, inspect, asked } = await openInspection();
  const scopes = ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email"];
  const token = issueAccessToken(state, { email: EMAIL, scopes, expires: NOW + 3600 });
  expect(await inspect(token, { audiences: [AUDIENCE] })).toMatchObject({
    kind: "access_token",
    valid: true,
    principal: `serviceAccount:${EMAIL}`,
    sentences: [
      `Access token issued to ${EMAIL}.`,
      expect.stringContaining(scopes.join(" ")),
      expect.stringContaining("services don't accept it"),
    ],
    signature: { verified: null, keys: null },
    expires_at: "2026-11-23T13:00:00Z",
    header: null,
  });
  expect(asked).toEqual([expect.objectContaining({ method: "POST", url: "https://oauth2.googleapis.com/tokeninfo" })]);
  expect(codes(await inspect("ya29.never-was"))).toEqual(["REVOKED"]);
});

test("a token that a service account's key has signed is verified with the account's own keys", async () => {
  const { inspect, caller } = await openInspection();
  const forApi = { aud: "https://run.googleapis.com/", sub: EMAIL, target_audience: undefined };
  expect(await inspect(assertion(caller.email, forApi))).toMatchObject({ kind: "self_signed_token", valid: true });
  expect(await inspect(assertion(caller.email))).toMatchObject({ kind: "assertion", valid: true });
  expect(codes(await inspect(assertion(caller.email, {}, { pair: OTHER_PAIR })))).toEqual(["SIGNATURE_WRONG"]);
  const gone = await inspect(assertion("gone@demo-project.iam.gserviceaccount.com", {}, { pair: CALLER_PAIR }));
  expect([codes(gone), gone.problems[0]?.message]).toEqual([["SIGNATURE_WRONG"], expect.stringContaining("the account gone@")]);
});

test("an assertion of Identity-Aware Proxy is verified with its ES256 keys", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keys = { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "iap", alg: "ES256", use: "sig" }] };
  const text = async () => JSON.stringify(keys);
  const send = (async ({ url }: Request) => {
    expect(url).toBe("https://www.gstatic.com/iap/verify/public_key-jwk");
    return { status: 200, headers: { date: new Date((NOW - 600) * 1000).toUTCString(), age: "600" }, text };
  }) as unknown as Send;
  const audience = "/projects/1/locations/us-central1/services/hello";
  const claims = {
    iss: "https://cloud.google.com/iap",
    aud: audience,
    email: "ada@example.com",
    sub: "accounts.google.com:1",
    iat: NOW,
    exp: NOW + 600,
  };
  const token = forge({ alg: "ES256", kid: "iap" }, claims, (signed) =>
    sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" }),
  );
  const examine = (given: string, audiences: readonly string[]) => inspectToken(parseToken(given), { send, audiences, now: NOW * 1000 });
  expect(await examine(token, [audience])).toMatchObject({
    kind: "iap_assertion",
    valid: true,
    clock_skew_seconds: 0,
    audience: { matches: true },
  });
  expect(codes(await examine(token, ["/projects/2/apps/x"]))).toEqual(["WRONG_AUDIENCE"]);
  expect(codes(await examine(`${token.slice(0, -4)}AAAA`, []))).toEqual(["SIGNATURE_WRONG"]);
});

test("input that isn't a Google token is sent nowhere", async () => {
  const { inspect, asked } = await openInspection();
  const github = forge({ alg: "RS256" }, { iss: "https://token.actions.githubusercontent.com", aud: "x" });
  for (const [given, kind, code] of [
    ["hunter2", "unknown", "NO_TOKEN"],
    ["", "unknown", "NO_TOKEN"],
    ["a.b.c", "unknown", "NO_TOKEN"],
    [`1//${"a".repeat(40)}`, "refresh_token", "NO_TOKEN"],
    [github, "foreign_token", "NOT_GOOGLES"],
  ] as const)
    expect(await inspect(given)).toMatchObject({ kind, valid: false, problems: [{ code }] });
  expect(asked).toEqual([]);
});

test("keys that can't be fetched are an error, not a verdict", async () => {
  const send = (async () => ({ status: 503, headers: {}, text: async () => "down" })) as unknown as Send;
  const token = forge({ alg: "RS256" }, { iss: "https://accounts.google.com" });
  expect(await failure(inspectToken(parseToken(token), { send, audiences: [], now: 0 }))).toMatchObject({ code: "UNAVAILABLE" });
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { CliError } from "../../../src/errors/cli-error.ts";
import { explainRefusal } from "../../../src/invoke/refusal/explain-refusal.ts";
import type { RejectedRequest } from "../../../src/invoke/refusal/refusal-error.ts";
import { forbidden, notFound, unauthorized } from "../../../src/emulator/front-door/error-pages.ts";
import { forge, NOW } from "../../helpers/identity.ts";
import { EMAIL } from "../../helpers/key-file.ts";

const URL_CALLED = "https://hello-123456789012.us-central1.run.app";
const CLAIMS = { iss: "https://accounts.google.com", aud: URL_CALLED, email: EMAIL, iat: NOW, exp: NOW + 3600 };
const idToken = (changes: object = {}) => forge({ alg: "RS256" }, { ...CLAIMS, ...changes });

function called(
  page: ReturnType<typeof forbidden>,
  changes: Partial<Omit<RejectedRequest, "url">> & { url?: string; token?: string | undefined } = {},
): RejectedRequest {
  const { url = `${URL_CALLED}/orders`, token = "token" in changes ? undefined : idToken(), ...rest } = changes;
  return {
    status: page.status,
    headers: { ...page.headers, server: "Google Frontend" },
    body: String(page.body),
    sent: token === undefined ? [] : [["Authorization", `Bearer ${token}`]],
    now: NOW * 1000,
    ...rest,
    url: new URL(url),
  };
}

const SET_CLOCK = "timedatectl set-ntp true";
const commandsOf = (error: CliError | undefined) => error?.next.map(({ command }) => command.join(" ")) ?? [];

test("403 for a valid token names the principal, the role, and the command that grants it", async () => {
  expect(await explainRefusal(called(forbidden("/orders")))).toMatchObject({
    code: "NOT_AUTHORIZED",
    exitCode: 9,
    message: `${EMAIL} doesn't have permission to invoke "hello" (roles/run.invoker).`,
    hint: "If access was granted recently, wait: IAM changes usually take about 2 minutes to take effect, but can take 7 or more.",
    next: [{ text: "To grant access", command: ["grant", "hello", "--region", "us-central1", "--member", `serviceAccount:${EMAIL}`] }],
    details: { status_code: 403, url: URL_CALLED, audience: URL_CALLED, principal: `serviceAccount:${EMAIL}` },
  });
});

test("a user is named as a user, and a URL with a hash names no region", async () => {
  const url = "https://hello-abc123-uc.a.run.app";
  const error = await explainRefusal(called(forbidden("/"), { url, token: idToken({ aud: url, email: "me@example.com" }) }));
  expect(commandsOf(error)).toEqual(["grant hello --member user:me@example.com"]);
});

test.for([
  ["ApiKey abc", "an ApiKey credential"],
  ["Basic abc", "a Basic credential"],
] as const)("the scheme of %s is named with its article", async ([value, credential]) => {
  expect(await explainRefusal(called(unauthorized("/orders"), { sent: [["Authorization", value]] }))).toMatchObject({
    message: `Authorization has ${credential}, but Cloud Run accepts only Bearer tokens.`,
  });
});

test("403 for a request without a credential is NOT_AUTHENTICATED", async () => {
  expect(await explainRefusal(called(forbidden("/orders"), { token: undefined }))).toMatchObject({
    code: "NOT_AUTHENTICATED",
    message: `The request to ${URL_CALLED} has no credential.`,
  });
});

test.for([
  ["an access token", "ya29.abc", "The request has an access token, but Cloud Run needs an ID token.", [`token ${URL_CALLED}`]],
  ["an expired token", idToken({ exp: NOW - 1 }), "The ID token expired at 2026-11-23T11:59:59.000Z.", [`token ${URL_CALLED}`]],
  [
    "another audience",
    idToken({ aud: "https://other.run.app" }),
    `Wrong audience: the ID token is for https://other.run.app, but "hello" expects ${URL_CALLED}.`,
    [
      `invoke ${URL_CALLED}/orders --audience ${URL_CALLED}`,
      "run services update hello --region us-central1 --add-custom-audiences https://other.run.app",
    ],
  ],
  ["a token from the future", idToken({ iat: NOW + 90 }), "The ID token isn't valid until 2026-11-23T12:01:30.000Z.", [SET_CLOCK]],
  [
    "a token without fault",
    idToken(),
    `Cloud Run rejected the ID token from ${EMAIL}, although its audience and expiry are valid.`,
    [`grant hello --region us-central1 --member serviceAccount:${EMAIL}`],
  ],
] as const)("401 for %s is explained by its claims", async ([, token, message, commands]) => {
  const error = await explainRefusal(called(unauthorized("/orders"), { token }));
  expect(error).toMatchObject({ code: "NOT_AUTHENTICATED", exitCode: 9, message });
  expect(commandsOf(error)).toEqual(commands);
  expect(JSON.stringify([error?.message, error?.hint, error?.next, error?.details])).not.toContain(token);
});

test("401 at a custom domain names the audience that Cloud Run accepts", async () => {
  const url = "https://api.example.com";
  const error = await explainRefusal(called(unauthorized("/"), { url, token: idToken({ aud: url }) }));
  expect(error?.message).toBe("Wrong audience: https://api.example.com is a domain, not the URL that Cloud Run assigned to the service.");
  expect(commandsOf(error)[1]).toContain("--add-custom-audiences https://api.example.com");
});

test("a tag's URL is called with the service's own audience", async () => {
  const url = URL_CALLED.replace("//", "//candidate---");
  expect(commandsOf(await explainRefusal(called(unauthorized("/"), { url, token: idToken({ aud: url }) })))).toEqual([
    `invoke ${url}/ --audience ${URL_CALLED}`,
  ]);
});

test("404 of the front end is NOT_REACHABLE, and a reserved path is named", async () => {
  expect(await explainRefusal(called(notFound()))).toMatchObject({
    code: "NOT_REACHABLE",
    exitCode: 9,
    message: `No service is reachable at ${URL_CALLED}.`,
  });
  expect((await explainRefusal(called(notFound(), { url: `${URL_CALLED}/healthz` })))?.message).toContain("/healthz");
});

test("a response without a body is recognized by its header", async () => {
  expect(await explainRefusal(called(unauthorized("/"), { body: "" }))).toMatchObject({ code: "NOT_AUTHENTICATED" });
  expect(await explainRefusal(called(forbidden("/"), { body: "" }))).toBeUndefined();
});

const JSON_TYPE = { "content-type": "application/json" };
const HTML = { "content-type": "text/html" };
const PAGE = String(forbidden("/").body);
const INVALID = 'Bearer error="invalid_token"';

test.for<[what: string, status: number, headers: Readonly<Record<string, string>>, body: string]>([
  ["a JSON 403", 403, JSON_TYPE, '{"error":"Your client does not have permission"}'],
  ["a JSON 401 with the header of RFC 6750", 401, { ...JSON_TYPE, "www-authenticate": INVALID }, "{}"],
  ["a 401 without a body", 401, { "www-authenticate": `${INVALID}, error_description="The token is expired"` }, ""],
  ["its own page", 404, HTML, "<h1>Not Found</h1>"],
  ["the front end's page as plain text", 403, { "content-type": "text/plain" }, PAGE],
  ["the front end's page with another status", 500, HTML, PAGE],
])("%s is the service's response", async ([, status, headers, body]) => {
  const request = { ...called(forbidden("/")), status, body, headers: { ...headers, server: "Google Frontend" } };
  expect(await explainRefusal(request)).toBeUndefined();
});

test("for any claims and any other credential, the explanation is one line without the token", async () => {
  const name = fc.constantFrom("iss", "aud", "email", "iat", "exp", "sub");
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom(NOW, 1e300, -1e300, 1e15, "a\u001b[31m\r\nb"));
  const token = fc.oneof(
    fc.dictionary(name, value).map((claims) => forge({ alg: "RS256" }, { ...CLAIMS, ...claims })),
    fc.string({ unit: "binary" }),
    fc.jsonValue().map((claims) => forge({}, claims as object)),
  );
  const header = fc.tuple(
    fc.constantFrom("Authorization", "X-Serverless-Authorization"),
    fc.constantFrom("Bearer ", "bearer", "", "Basic "),
    token,
  );
  const answer = fc.constantFrom(unauthorized("/"), forbidden("/"), notFound());
  await fc.assert(
    fc.asyncProperty(answer, fc.array(header, { maxLength: 3 }), async (page, headers) => {
      const sent = headers.map(([name, scheme, text]) => [name, `${scheme}${text}`] as const);
      const error = await explainRefusal({ ...called(page), sent });
      expect(error?.details["reason"]).toBeDefined();
      const text = `${error?.message}${error?.hint}${commandsOf(error).join()}`;
      expect(text).toMatch(/^\P{Cc}+$/u);
      for (const [, , credential] of headers) if (credential.length > 60) expect(text).not.toContain(credential);
    }),
    { numRuns: 500 },
  );
});

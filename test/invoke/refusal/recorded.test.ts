import { expect, test } from "vitest";
import { readTokenRefusal } from "../../../src/auth/google-auth-transport.ts";
import { explainImpersonationRefusal } from "../../../src/auth/impersonation-refusal.ts";
import { explainRefusal } from "../../../src/invoke/refusal/explain-refusal.ts";
import type { Evidence } from "../../../src/invoke/refusal/evidence.ts";
import { explainTokenRefusal } from "../../../src/auth/token-refusal.ts";
import { explainControlPlane } from "../../../src/cloud/errors/control-plane.ts";
import { forge, NOW } from "../../helpers/identity.ts";
import { EMAIL } from "../../helpers/key-file.ts";

// Recorded responses of Google's servers, word for word; without the emulator.

const URL_CALLED = "https://hello-123456789012.us-central1.run.app";
const idToken = (changes: object = {}) =>
  forge({ alg: "RS256" }, { iss: "https://accounts.google.com", aud: URL_CALLED, email: EMAIL, iat: NOW, exp: NOW + 3600, ...changes });

const page = (status: number, word: string, sentence: string) => `<html><head>
<meta http-equiv="content-type" content="text/html;charset=utf-8">
<title>${status} ${word}</title>
</head>
<body text=#000000 bgcolor=#ffffff>
<h1>Error: ${word}</h1>
<h2>${sentence}</h2>
<h2></h2>
</body></html>
`;
const UNAUTHORIZED = page(401, "Unauthorized", "Your client does not have permission to the requested URL <code>/endpoint/xxxxx</code>.");
const FORBIDDEN = page(403, "Forbidden", "Your client does not have permission to get URL <code>/endpoint/xxxxx</code> from this server.");
const GCLOUD_CLIENT = "32555940559.apps.googleusercontent.com";
const LOGIN_CLIENT = "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com";
const HTML = { "content-type": "text/html; charset=UTF-8", server: "Google Frontend" };
const INVALID = 'Bearer error="invalid_token" error_description="The access token could not be verified"';

const inPolicy = (...members: string[]): Evidence => ({ policy: { etag: "", bindings: [{ role: "roles/run.invoker", members }] } });

async function reasonOf(status: number, body: string, { token = idToken(), headers = {}, evidence = {} }: Given = {}) {
  const sent = token === null ? [] : [["Authorization", `Bearer ${token}`] as const];
  const call = { url: new URL(`${URL_CALLED}/endpoint/xxxxx`), status, headers: { ...HTML, ...headers }, body, sent, now: NOW * 1000 };
  return (await explainRefusal(call, async () => evidence))?.details["reason"];
}

interface Given {
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly evidence?: Evidence;
}

const OTHERS = inPolicy("user:ada@example.com");
const NO_FREE_INSTANCE = "The request was aborted because there was no available instance.";
const NOT_STARTED = "The request failed because the instance could not start successfully.";
const MALFORMED = "The request failed because either the HTTP response was malformed or connection to the instance had an error.";
const TOO_LATE = "The request has been terminated because it has reached the maximum request timeout.";
const serverError = (status: number, sentence: string) => page(status, "Server Error", sentence);
const LATER = { date: new Date((NOW + 7200) * 1000).toUTCString() };
const JSON_TYPE = { "content-type": "application/json" };

test.for<[title: string, reason: string | undefined, status: number, body: string, given?: Given]>([
  ["no credential", "NO_CREDENTIAL", 403, FORBIDDEN, { token: null }],
  ["an access token", "ACCESS_TOKEN", 401, UNAUTHORIZED, { token: "ya29.a0AfH6SMB" }],
  ["another audience", "AUDIENCE_MISMATCH", 401, UNAUTHORIZED, { token: idToken({ aud: "demo" }) }],
  ["an expired token", "TOKEN_EXPIRED", 401, UNAUTHORIZED, { token: idToken({ exp: NOW - 1 }) }],
  ["a token that has expired by the server's clock only", "CLOCK_OFF", 401, UNAUTHORIZED, { headers: LATER }],
  ["403 for a principal without the role", "PRINCIPAL_NOT_IN_POLICY", 403, FORBIDDEN, { evidence: OTHERS }],
  ["401 for a principal without the role", "PRINCIPAL_NOT_IN_POLICY", 401, UNAUTHORIZED, { evidence: OTHERS }],
  ["401 from a 40-second-old service", "GRANT_TOO_YOUNG", 401, UNAUTHORIZED, { evidence: inPolicy(`serviceAccount:${EMAIL}`) }],
  ["a valid token without evidence", "NOT_VERIFIED", 401, UNAUTHORIZED],
  ["a token without an email claim", "EMAIL_CLAIM_MISSING", 401, UNAUTHORIZED, { token: idToken({ email: undefined }) }],
  ["403 for a gcloud token", "PRINCIPAL_NOT_IN_POLICY", 403, FORBIDDEN, { token: idToken({ aud: GCLOUD_CLIENT }) }],
  ["401 for a gcloud login's token", "NOT_VERIFIED", 401, UNAUTHORIZED, { token: idToken({ aud: LOGIN_CLIENT }) }],
  ["a response to HEAD", "NOT_VERIFIED", 401, "", { headers: { "www-authenticate": INVALID } }],
  ["IAP without a session", "IAP_NO_CREDENTIAL", 302, "", { headers: { "x-goog-iap-generated-response": "true" }, token: null }],
  ["IAP and no email claim", "EMAIL_CLAIM_MISSING", 401, "Invalid IAP credentials: JWT 'email' claim isn't a string"],
  ["429 without an instance", "NO_INSTANCE", 429, page(429, "Too Many Requests", NO_FREE_INSTANCE)],
  ["500 without an instance", "NO_INSTANCE", 500, serverError(500, NO_FREE_INSTANCE)],
  ["an instance that doesn't start", "INSTANCE_NOT_STARTED", 500, serverError(500, NOT_STARTED)],
  ["a malformed response", "ANSWER_MALFORMED", 503, serverError(503, MALFORMED)],
  ["a request timeout", "REQUEST_TIMED_OUT", 504, serverError(504, TOO_LATE)],
  ["an older request timeout", "REQUEST_TIMED_OUT", 504, "upstream request timeout", { headers: { "content-type": "text/plain" } }],
  ["the service's own 504", undefined, 504, '{"error":"upstream"}', { headers: JSON_TYPE }],
  ["the service's own redirect", undefined, 302, "", { headers: { location: "https://accounts.google.com/o/oauth2/v2/auth" } }],
  ["the service's own 401", undefined, 401, '{"error":"Invalid token"}', { headers: JSON_TYPE }],
])("%s is explained as %s", async ([, reason, status, body, given]) => {
  expect(await reasonOf(status, body, given)).toBe(reason);
});

const UNREASONABLE =
  "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values";

test.for([
  ["invalid_grant", "Invalid JWT Signature.", "KEY_UNKNOWN"],
  ["invalid_grant", "Invalid grant: account not found", "ACCOUNT_DELETED"],
  ["invalid_grant", `${UNREASONABLE} in the JWT claim.`, "CLOCK_OFF"],
  ["invalid_grant", `${UNREASONABLE} and use a clock with skew to account for clock differences between systems.`, "CLOCK_OFF"],
  ["invalid_grant", "Invalid JWT: Failed audience check.", "TOKEN_URI_WRONG"],
  ["invalid_grant", "Invalid JWT: Failed audience check. The right audience is https://oauth2.googleapis.com/token", "TOKEN_URI_WRONG"],
  ["invalid_grant", "Robot is disabled.", "ACCOUNT_DISABLED"],
  ["invalid_grant", "Token has been expired or revoked.", "SIGN_IN_EXPIRED"],
  ["invalid_scope", "Invalid OAuth scope or ID token audience provided.", "AUDIENCE_INVALID"],
  ["invalid_request", "Bad Request", "REQUEST_MALFORMED"],
  ["unsupported_grant_type", "Invalid grant_type: x", "REQUEST_MALFORMED"],
  ["deleted_client", "The OAuth client was deleted.", "CLIENT_DELETED"],
  [
    "unauthorized_client",
    "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.",
    "UNAUTHORIZED_CLIENT",
  ],
  ["invalid_grant", "Something that nobody has seen yet.", undefined],
] as const)("%s: %s is %s", ([error, description, reason]) => {
  const circumstances = { key: { client_email: EMAIL }, host: "oauth2.googleapis.com", date: undefined, now: NOW * 1000 };
  expect(explainTokenRefusal({ error, error_description: description }, circumstances).details["reason"]).toBe(reason);
});

test("a refusal of the IAM Credentials API names the role with the missing permission", () => {
  const body = JSON.stringify({
    error: {
      code: 403,
      message: "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource (or it may not exist).",
      status: "PERMISSION_DENIED",
      details: [
        {
          "@type": "type.googleapis.com/google.rpc.ErrorInfo",
          reason: "IAM_PERMISSION_DENIED",
          domain: "iam.googleapis.com",
          metadata: { permission: "iam.serviceAccounts.getOpenIdToken" },
        },
      ],
    },
  });
  const said = readTokenRefusal("iamcredentials.googleapis.com", 403, body);
  expect(explainImpersonationRefusal(said, { account: EMAIL, delegates: [], principal: "user:me@example.com" })).toMatchObject({
    code: "TOKEN_REFUSED",
    next: [
      {
        program: "gcloud",
        command:
          `iam service-accounts add-iam-policy-binding ${EMAIL} --member user:me@example.com --role roles/iam.serviceAccountOpenIdTokenCreator`.split(
            " ",
          ),
      },
    ],
    details: { reason: "TOKEN_CREATOR_MISSING", permission: "iam.serviceAccounts.getOpenIdToken" },
  });
});

test.for([
  ["FAILED_PRECONDITION: Key creation is not allowed on this service account.", "KEY_CREATION_FORBIDDEN"],
  ["constraints/iam.managed.disableServiceAccountKeyCreation", "KEY_CREATION_FORBIDDEN"],
  [
    "FAILED_PRECONDITION: One or more users named in the policy do not belong to a permitted customer, perhaps due to an organization policy.",
    "MEMBER_DOMAIN_FORBIDDEN",
  ],
  [
    "PERMISSION_DENIED: Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: abc-1_2",
    "VPC_SERVICE_CONTROLS",
  ],
] as const)("%s is %s", ([said, reason]) => {
  const call = { via: "api", project: "my-project", region: "us-central1", sentence: said } as const;
  expect(explainControlPlane(said, call)).toMatchObject({ code: "ORG_POLICY", details: { reason } });
});

import { expect, test } from "vitest";
import { createIamApi } from "../../../src/emulator/apis/iam.ts";
import { createIamCredentialsApi } from "../../../src/emulator/apis/iamcredentials.ts";
import { createStsApi } from "../../../src/emulator/apis/sts.ts";
import { setPolicy } from "../../../src/emulator/iam/policy.ts";
import { createKeyPair } from "../../../src/emulator/oauth2/key-pair.ts";
import { PROJECT, PROJECT_NUMBER, serveApis } from "../../helpers/api-server.ts";
import { decode, openIdentity } from "../../helpers/identity.ts";
import { startOidcIssuer } from "../../helpers/oidc-issuer.ts";

const POOL = `projects/${PROJECT_NUMBER}/locations/global/workloadIdentityPools/pipelines`;
const POOLS = `/v1/projects/${PROJECT}/locations/global/workloadIdentityPools`;
const PROVIDER = `${POOL}/providers/forge`;
const AUDIENCE = `//iam.googleapis.com/${PROVIDER}`;
const DEPLOYER = `caller@${PROJECT}.iam.gserviceaccount.com`;
const ACCOUNT = `projects/${PROJECT}/serviceAccounts/${DEPLOYER}`;
const CLOUD = "https://www.googleapis.com/auth/cloud-platform";
const GOOD = { aud: `https:${AUDIENCE}`, sub: "repo:me/it:ref:refs/heads/main", repository: "me/it", teams: ["dev", "ops"] };

/** Identity's APIs with one provider, and the issuer behind it. */
async function openFederation(fields: object = {}) {
  const issuer = await startOidcIssuer();
  const identity = await openIdentity({ live: true });
  const apis = [createIamApi, createIamCredentialsApi, createStsApi].map((create) => create(identity));
  const server = await serveApis(apis, identity.state);
  const iam = async (method: string, path: string, body?: object) =>
    server.request(method, "iam.googleapis.com", path, body ? { body } : {});
  const attributeMapping = {
    "google.subject": "assertion.sub",
    "google.groups": "assertion.teams",
    "attribute.owner": "assertion.repository.extract('{owner}/')",
    "attribute.branch": "assertion.sub.split(':')[3]",
  };
  const attributeCondition = "assertion.repository == 'me/it' && google.subject.startsWith('repo:') && attribute.owner == 'me'";
  const provider = { attributeMapping, attributeCondition, oidc: { issuerUri: issuer.uri }, ...fields };
  expect((await iam("POST", `${POOLS}?workloadIdentityPoolId=pipelines`, { displayName: "Pipelines" })).status).toBe(200);
  const made = await iam("POST", `${POOLS}/pipelines/providers?workloadIdentityPoolProviderId=forge`, provider);
  expect(made.status).toBe(200);

  const exchange = async (token: string, changes: Record<string, string> = {}) => {
    const form = {
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      audience: AUDIENCE,
      scope: CLOUD,
      subject_token: token,
      ...changes,
    };
    const body = new URLSearchParams(Object.entries(form).filter(([, value]) => value !== "")).toString();
    const { status, json } = await server.request("POST", "sts.googleapis.com", "/v1/token", { token: "", body });
    return { status, json };
  };
  const impersonate = (token: string, verb = "generateAccessToken", body: object = { scope: [CLOUD] }) =>
    server.request("POST", "iamcredentials.googleapis.com", `/v1/projects/-/serviceAccounts/${DEPLOYER}:${verb}`, { token, body });
  const trust = (...members: string[]) =>
    setPolicy(identity.state, ACCOUNT, { bindings: [{ role: "roles/iam.workloadIdentityUser", members }] });
  return { ...identity, issuer, server, iam, exchange, impersonate, trust };
}

test.for([
  ["its subject", `principal://iam.googleapis.com/${POOL}/subject/${GOOD.sub}`, 200],
  ["another subject", `principal://iam.googleapis.com/${POOL}/subject/repo:me/it`, 403],
  ["its group", `principalSet://iam.googleapis.com/${POOL}/group/ops`, 200],
  ["another group", `principalSet://iam.googleapis.com/${POOL}/group/op`, 403],
  ["its attribute", `principalSet://iam.googleapis.com/${POOL}/attribute.owner/me`, 200],
  ["another attribute of that value", `principalSet://iam.googleapis.com/${POOL}/attribute.branch/me`, 403],
  ["another value", `principalSet://iam.googleapis.com/${POOL}/attribute.owner/you`, 403],
  ["its whole pool", `principalSet://iam.googleapis.com/${POOL}/*`, 200],
  ["a deleted principal of its name", `deleted:principal://iam.googleapis.com/${POOL}/subject/${GOOD.sub}`, 403],
  ["all Google accounts", "allAuthenticatedUsers", 403],
] as const)("a federated identity can act as an account that trusts %s: %s, %i", async ([, member, status]) => {
  const { issuer, exchange, impersonate, trust } = await openFederation();
  trust(member);
  const { json } = await exchange(issuer.token(GOOD));
  expect(json).toMatchObject({
    issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
    token_type: "Bearer",
    expires_in: 3600,
  });
  expect((await impersonate(json["access_token"])).status).toBe(status);
});

test("impersonation gives an ordinary access token and ID token of the account", async () => {
  const { issuer, exchange, impersonate, trust, server } = await openFederation();
  trust(`principalSet://iam.googleapis.com/${POOL}/*`);
  const { json } = await exchange(issuer.token(GOOD));
  const { accessToken } = (await impersonate(json["access_token"])).json;
  const body = { audience: "https://a.run.app", includeEmail: true };
  const { token } = (await impersonate(json["access_token"], "generateIdToken", body)).json;
  expect(decode(token).claims).toMatchObject({ aud: "https://a.run.app", email: DEPLOYER, iss: "https://accounts.google.com" });
  // The account itself has no roles yet.
  const refused = await server.request("GET", "iam.googleapis.com", `/v1/projects/${PROJECT}/serviceAccounts`, { token: accessToken });
  expect(refused.status).toBe(403);
});

test("a provider with uploaded keys doesn't need its issuer, and JSON works as well as a form", async () => {
  const { jwks, uri, token, asked } = await startOidcIssuer();
  const { iam, server, exchange } = await openFederation();
  await iam("PATCH", `${POOLS}/pipelines/providers/forge?updateMask=oidc`, { oidc: { issuerUri: uri, jwksJson: JSON.stringify(jwks) } });
  expect((await exchange(token(GOOD))).status).toBe(200);
  expect(asked()).toBe(0);
  const body = {
    grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
    requestedTokenType: "urn:ietf:params:oauth:token-type:access_token",
    subjectTokenType: "urn:ietf:params:oauth:token-type:id_token",
    audience: AUDIENCE,
    scope: CLOUD,
    subjectToken: token(GOOD),
  };
  expect((await server.request("POST", "sts.googleapis.com", "/v1/token", { token: "", body })).status).toBe(200);
});

test.for([
  ["invalid_grant", "does not match the expected audience", { ...GOOD, aud: "https://elsewhere" }, {}],
  ["invalid_grant", "does not match the expected ones", { ...GOOD, iss: "https://elsewhere" }, {}],
  ["invalid_grant", "is stale to sign-in", { ...GOOD, iat: 1, exp: 2 }, {}],
  ["invalid_grant", '"exp"', { ...GOOD, exp: undefined }, {}],
  ["invalid_grant", '"nbf"', { ...GOOD, nbf: 4_000_000_000 }, {}],
  ["invalid_grant", "google.subject", { ...GOOD, sub: undefined }, {}],
  ["invalid_grant", "google.subject", { ...GOOD, sub: `repo:me/it:ref:${"a".repeat(128)}` }, {}],
  ["invalid_grant", "attribute.owner", { ...GOOD, repository: undefined }, {}],
  ["invalid_grant", "google.groups", { ...GOOD, teams: [1] }, {}],
  ["unauthorized_client", "rejected by the attribute condition", { ...GOOD, repository: "me/that" }, {}],
  ["invalid_target", "disabled or deleted", GOOD, { audience: `${AUDIENCE}x` }],
  ["invalid_request", "full resource name", GOOD, { audience: PROVIDER }],
  ["invalid_request", "subject_token_type", GOOD, { subject_token_type: "urn:ietf:params:oauth:token-type:saml2" }],
  ["invalid_request", "Missing required parameter: grant_type", GOOD, { grant_type: "" }],
  ["invalid_scope", "scopes", GOOD, { scope: "" }],
  ["invalid_grant", "parse", GOOD, { subject_token: "not-a-token" }],
] as const)("refuses with %s: %s", async ([error, text, claims, changes]) => {
  const { issuer, exchange } = await openFederation();
  const { status, json } = await exchange(issuer.token(claims), changes);
  expect({ status, error: json["error"] }).toEqual({ status: 400, error });
  expect(json["error_description"]).toContain(text);
});

test("a token signed by another key is refused, and so is one of an unreachable issuer", async () => {
  const { issuer, exchange, iam } = await openFederation();
  const forged = issuer.token(GOOD, { pair: await createKeyPair() });
  expect((await exchange(forged)).json).toMatchObject({
    error: "invalid_grant",
    error_description: "Unable to verify the ID Token signature.",
  });
  for (const issuerUri of [`${issuer.uri}/nowhere`, "https://oidc.googleapis.com"]) {
    await iam("PATCH", `${POOLS}/pipelines/providers/forge?updateMask=oidc.issuerUri`, { oidc: { issuerUri } });
    expect((await exchange(issuer.token({ ...GOOD, iss: issuerUri }))).json["error_description"]).toContain("Error connecting");
  }
});

test("a federated token depends on its pool's state; a disabled provider only prevents new tokens", async () => {
  const { issuer, exchange, impersonate, trust, iam } = await openFederation();
  trust(`principalSet://iam.googleapis.com/${POOL}/*`);
  const { access_token: token } = (await exchange(issuer.token(GOOD))).json;
  const outcome = async () => [(await exchange(issuer.token(GOOD))).status, (await impersonate(token)).status];
  expect(await outcome()).toEqual([200, 200]);
  await iam("PATCH", `${POOLS}/pipelines/providers/forge?updateMask=disabled`, { disabled: true });
  expect(await outcome()).toEqual([400, 200]);
  await iam("PATCH", `${POOLS}/pipelines/providers/forge?updateMask=disabled`, { disabled: false });
  await iam("PATCH", `${POOLS}/pipelines?updateMask=disabled`, { disabled: true });
  expect(await outcome()).toEqual([400, 401]);
  await iam("PATCH", `${POOLS}/pipelines?updateMask=disabled`, {});
  expect(await outcome()).toEqual([200, 200]);
  await iam("DELETE", `${POOLS}/pipelines`);
  expect(await outcome()).toEqual([400, 401]);
  await iam("POST", `${POOLS}/pipelines:undelete`, {});
  expect(await outcome()).toEqual([200, 200]);
});

test("a federated identity has the roles that are granted to its own name", async () => {
  const { issuer, exchange, server, state } = await openFederation();
  const { access_token: token } = (await exchange(issuer.token(GOOD))).json;
  const list = () => server.request("GET", "iam.googleapis.com", `/v1/projects/${PROJECT}/serviceAccounts`, { token });
  expect((await list()).status).toBe(403);
  for (const [branch, status] of [
    ["refs/heads/main", 200],
    ["refs/heads/side", 403],
  ] as const) {
    const members = [`principalSet://iam.googleapis.com/${POOL}/attribute.branch/${branch}`];
    setPolicy(state, `projects/${PROJECT}`, { bindings: [{ role: "roles/iam.serviceAccountViewer", members }] });
    expect((await list()).status).toBe(status);
  }
});

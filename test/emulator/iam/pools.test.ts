import { expect, test } from "vitest";
import { createIamApi } from "../../../src/emulator/apis/iam.ts";
import { PROJECT, PROJECT_NUMBER, serveApis, signIn } from "../../helpers/api-server.ts";
import { openIdentity } from "../../helpers/identity.ts";

const NAME = `projects/${PROJECT_NUMBER}/locations/global/workloadIdentityPools`;
const OIDC = { issuerUri: "https://token.example.com" };
const MAPPING = { "google.subject": "assertion.sub" };

async function openPools() {
  const identity = await openIdentity({ live: true });
  const server = await serveApis([createIamApi(identity)], identity.state);
  const iam = async (method: string, path: string, body?: object, token?: string) => {
    const options = { ...(body && { body }), ...(token && { token }) };
    const { status, json } = await server.request(method, "iam.googleapis.com", `/v1/projects/${PROJECT}/locations/global${path}`, options);
    return { status, json };
  };
  return { ...identity, iam };
}

test("a pool is created, changed, deleted, and restored", async () => {
  const { iam } = await openPools();
  const made = await iam("POST", "/workloadIdentityPools?workloadIdentityPoolId=pipelines", { displayName: "Pipelines" });
  expect(made).toEqual({ status: 200, json: { name: expect.stringMatching(`^${NAME}/pipelines/operations/\\w+$`), done: true } });
  const operation = made.json["name"].split("/").at(-1);
  expect((await iam("GET", `/workloadIdentityPools/pipelines/operations/${operation}`)).json).toEqual(made.json);
  const pool = { name: `${NAME}/pipelines`, displayName: "Pipelines", state: "ACTIVE" };
  expect((await iam("GET", "/workloadIdentityPools/pipelines")).json).toEqual(pool);
  expect((await iam("POST", "/workloadIdentityPools?workloadIdentityPoolId=pipelines", {})).status).toBe(409);

  await iam("PATCH", "/workloadIdentityPools/pipelines?updateMask=displayName,disabled", { disabled: true, description: "not asked for" });
  expect((await iam("GET", "/workloadIdentityPools")).json).toEqual({
    workloadIdentityPools: [{ name: `${NAME}/pipelines`, state: "ACTIVE", disabled: true }],
  });
  await iam("DELETE", "/workloadIdentityPools/pipelines");
  expect((await iam("GET", "/workloadIdentityPools")).json).toEqual({ workloadIdentityPools: [] });
  expect((await iam("GET", "/workloadIdentityPools?showDeleted=true")).json["workloadIdentityPools"]).toMatchObject([
    { state: "DELETED", expireTime: expect.any(String) },
  ]);
  await iam("POST", "/workloadIdentityPools/pipelines:undelete", {});
  expect((await iam("GET", "/workloadIdentityPools/pipelines")).json).toEqual({
    name: `${NAME}/pipelines`,
    state: "ACTIVE",
    disabled: true,
  });
});

test("a provider is changed field by field, and belongs to its pool", async () => {
  const { iam } = await openPools();
  const path = "/workloadIdentityPools/pipelines/providers";
  const body = { oidc: { ...OIDC, allowedAudiences: ["me"] }, attributeMapping: MAPPING, attributeCondition: "assertion.sub != ''" };
  expect((await iam("POST", `${path}?workloadIdentityPoolProviderId=forge`, body)).status).toBe(404);
  await iam("POST", "/workloadIdentityPools?workloadIdentityPoolId=pipelines", {});
  expect((await iam("POST", `${path}?workloadIdentityPoolProviderId=forge`, body)).json).toMatchObject({ done: true });
  expect((await iam("POST", `${path}?workloadIdentityPoolProviderId=forge`, body)).status).toBe(409);
  const provider = { name: `${NAME}/pipelines/providers/forge`, state: "ACTIVE", ...body };
  expect((await iam("GET", `${path}/forge`)).json).toEqual(provider);

  const change = { oidc: { issuerUri: "https://other.example.com" }, attributeMapping: { "google.subject": "assertion.email" } };
  await iam("PATCH", `${path}/forge?updateMask=oidc.issuerUri,attributeCondition`, change);
  const { attributeCondition: _, ...rest } = provider;
  expect((await iam("GET", path)).json).toEqual({
    workloadIdentityPoolProviders: [{ ...rest, oidc: { ...provider.oidc, issuerUri: "https://other.example.com" } }],
  });
  await iam("DELETE", `${path}/forge`);
  expect((await iam("GET", path)).json).toEqual({ workloadIdentityPoolProviders: [] });
  expect((await iam("POST", `${path}/forge:undelete`, {})).json).toMatchObject({ done: true });
  expect((await iam("GET", `${path}/forge`)).json).toMatchObject({ state: "ACTIVE" });
});

test.for([
  [{ aws: { accountId: "1" } }, "only OIDC identity providers, not aws"],
  [{ oidc: { issuerUri: "http://token.example.com" } }, "HTTPS endpoint"],
  [{ oidc: {} }, "issuerUri"],
  [{ attributeMapping: {} }, "google.subject"],
  [{ attributeMapping: { ...MAPPING, "google.email": "assertion.email" } }, "unknown target: google.email"],
  [{ attributeMapping: { ...MAPPING, "attribute.a": "claims.a" } }, "Unknown variable: claims"],
  [{ attributeCondition: "assertion.sub ==" }, "does not compile"],
  [{ attributeCondition: "'yes'" }, "must be a bool"],
  [{ oidc: { ...OIDC, jwksJson: '{"keys": [{"kty": "oct"}]}' } }, "Key Set"],
  [{ displayName: "a".repeat(33) }, "displayName"],
] as const)("refuses the provider %j", async ([fields, text]) => {
  const { iam } = await openPools();
  await iam("POST", "/workloadIdentityPools?workloadIdentityPoolId=pipelines", {});
  const body = { oidc: OIDC, attributeMapping: MAPPING, ...fields };
  const { status, json } = await iam("POST", "/workloadIdentityPools/pipelines/providers?workloadIdentityPoolProviderId=forge", body);
  expect({ status, message: json["error"].message }).toEqual({ status: 400, message: expect.stringContaining(text) });
});

test("a pool's id must be well-formed, and only permitted callers can create pools", async () => {
  const { iam, state } = await openPools();
  for (const id of ["abc", "gcp-pool", "Pool", "a".repeat(33)])
    expect((await iam("POST", `/workloadIdentityPools?workloadIdentityPoolId=${id}`, {})).status).toBe(400);
  signIn(state, `viewer@${PROJECT}.iam.gserviceaccount.com`, "viewer", "roles/iam.workloadIdentityPoolViewer");
  expect((await iam("POST", "/workloadIdentityPools?workloadIdentityPoolId=pipelines", {}, "viewer")).json["error"]).toMatchObject({
    status: "PERMISSION_DENIED",
    message: expect.stringContaining("iam.workloadIdentityPools.create"),
  });
  expect((await iam("GET", "/workloadIdentityPools", undefined, "viewer")).status).toBe(200);
});

import { execa } from "execa";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { HELLO, startEmulator, tinyService } from "../helpers/emulator.ts";
import { startOidcIssuer } from "../helpers/oidc-issuer.ts";

/** A pipeline's program: it has no key, only a file with its own token and the configuration that gcloud writes for it. */
const PIPELINE = `
import { GoogleAuth, Impersonated } from "google-auth-library";
const { CONFIGURATION, IMPERSONATED, SERVICE, DEPLOYER } = process.env;
const scopes = ["https://www.googleapis.com/auth/cloud-platform"];
const account = await new GoogleAuth({ keyFile: IMPERSONATED, scopes }).getClient();
const services = await account.request({ url: "https://run.googleapis.com/apis/serving.knative.dev/v1/namespaces/cloudrun-local/services" });
const sourceClient = await new GoogleAuth({ keyFile: CONFIGURATION, scopes }).getClient();
const caller = new Impersonated({ sourceClient, targetPrincipal: DEPLOYER, targetScopes: scopes, lifetime: 3600, delegates: [] });
const token = await caller.fetchIdToken(SERVICE, { includeEmail: true });
const answer = await sourceClient.transporter.request({ url: SERVICE, headers: { Authorization: "Bearer " + token } });
console.log(JSON.stringify({ services: services.data.items.map(({ metadata }) => metadata.name), message: answer.data.message }));
`;

test("with google-auth-library, a pipeline's own token gives access to the APIs and a private service, without a key", async () => {
  const { request, project, environment, deploy, grant } = await openEmulator();
  const issuer = await startOidcIssuer();
  const { json } = await request("GET", "cloudresourcemanager.googleapis.com", `/v1/projects/${project}`);
  const pools = `/v1/projects/${project}/locations/global/workloadIdentityPools`;
  const iam = async (path: string, body: object) => expect((await request("POST", "iam.googleapis.com", path, { body })).status).toBe(200);
  await iam(`${pools}?workloadIdentityPoolId=pipelines`, {});
  await iam(`${pools}/pipelines/providers?workloadIdentityPoolProviderId=forge`, {
    oidc: { issuerUri: issuer.uri },
    attributeMapping: { "google.subject": "assertion.sub", "attribute.repository": "assertion.repository" },
    attributeCondition: "assertion.repository == 'me/it'",
  });
  const deployer = environment["SERVICE_ACCOUNT_EMAIL"] ?? "";
  const pool = `//iam.googleapis.com/projects/${json["projectNumber"]}/locations/global/workloadIdentityPools/pipelines`;
  const members = [`principalSet:${pool}/attribute.repository/me/it`];
  await iam(`/v1/projects/${project}/serviceAccounts/${deployer}:setIamPolicy`, {
    policy: { bindings: [{ role: "roles/iam.workloadIdentityUser", members }] },
  });
  const { url } = await deploy("hello", tinyService(HELLO));
  await grant("hello", `serviceAccount:${deployer}`);
  await addRole(request, project, { role: "roles/run.viewer", members: [`serviceAccount:${deployer}`] });

  const folder = mkdtempSync(join(tmpdir(), "cloudrun-oauth-pipeline-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string) => (writeFileSync(join(folder, name), text), join(folder, name));
  const token = issuer.token({ sub: "repo:me/it", repository: "me/it", aud: `https:${pool}/providers/forge` });
  const configuration = {
    type: "external_account",
    audience: `${pool}/providers/forge`,
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: "https://sts.googleapis.com/v1/token",
    credential_source: { file: write("token", token) },
  };
  const service_account_impersonation_url = `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${deployer}:generateAccessToken`;
  const env = {
    ...Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== null)),
    PATH: process.env["PATH"],
    // Node 22 warns that the proxy of its own fetch, which `environment` switches on, is experimental.
    NODE_NO_WARNINGS: "1",
    CONFIGURATION: write("configuration.json", JSON.stringify(configuration)),
    IMPERSONATED: write("impersonated.json", JSON.stringify({ ...configuration, service_account_impersonation_url })),
    SERVICE: url,
    DEPLOYER: deployer,
  };
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  const { stdout, stderr } = await execa(process.execPath, ["--input-type=module", "-e", PIPELINE], {
    cwd,
    env,
    extendEnv: false,
    reject: false,
  });
  expect({ stderr, answer: stdout && JSON.parse(stdout) }).toEqual({
    stderr: "",
    answer: { services: ["hello"], message: "Hello World from authenticated Cloud Run!" },
  });
});

async function openEmulator() {
  const emulator = await startEmulator();
  return { ...emulator, environment: emulator.status().environment };
}

async function addRole(request: Awaited<ReturnType<typeof startEmulator>>["request"], project: string, binding: object): Promise<void> {
  const path = `/v1/projects/${project}`;
  const { json: policy } = await request("POST", "cloudresourcemanager.googleapis.com", `${path}:getIamPolicy`, { body: {} });
  const body = { policy: { ...policy, bindings: [...policy["bindings"], binding] } };
  expect((await request("POST", "cloudresourcemanager.googleapis.com", `${path}:setIamPolicy`, { body })).status).toBe(200);
}

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { runCli } from "./command-line.ts";
import { startEmulator, tinyService, type AtEnd } from "./emulator.ts";
import { listen } from "./listen.ts";
import { startOidcIssuer } from "./oidc-issuer.ts";

/** Says who it is that its front end let in, and where its metadata server is. */
const WHOAMI = `
require("node:http")
  .createServer((request, response) => {
    const [, payload] = (request.headers.authorization ?? "").split(".");
    const { email } = JSON.parse(Buffer.from(payload ?? "e30", "base64url"));
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ email, metadata: process.env.GCE_METADATA_HOST }));
  })
  .listen(process.env.PORT, "127.0.0.1");
`;

export const PERSON = "me@example.com";

/** An emulator with a private service, a pool with a provider, and everybody that credentials of each kind can be of. */
export async function openCredentialWorld(atEnd: AtEnd) {
  const emulator = await startEmulator(atEnd);
  const { request, project, url: address } = emulator;
  const folder = mkdtempSync(join(tmpdir(), "cloudrun-oauth-credentials-"));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const issuer = await startOidcIssuer(atEnd);
  const ask = async (host: string, path: string, body: object) => {
    const answer = await request("POST", host, path, { body });
    expect(answer).toMatchObject({ status: 200 });
    return answer.json;
  };

  const write = (name: string, content: string | object): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content), { mode: 0o600 });
    return path;
  };
  const read = (path: string) => JSON.parse(readFileSync(path, "utf8")) as Record<string, string>;
  const remove = (name: string) => rmSync(join(folder, name));
  const account = async (id: string): Promise<string> => {
    await ask("iam.googleapis.com", `/v1/projects/${project}/serviceAccounts`, { accountId: id });
    return `${id}@${project}.iam.gserviceaccount.com`;
  };
  const key = async (email: string): Promise<Record<string, string>> => {
    const { privateKeyData } = await ask("iam.googleapis.com", `/v1/projects/${project}/serviceAccounts/${email}/keys`, {});
    return JSON.parse(Buffer.from(String(privateKeyData), "base64").toString()) as Record<string, string>;
  };
  /** Replaces the policy of an account. */
  const allow = (email: string, role: string, ...members: string[]) =>
    ask("iam.googleapis.com", `/v1/projects/${project}/serviceAccounts/${email}:setIamPolicy`, {
      policy: { bindings: [{ role, members }] },
    });
  const admin = async (path: string, body: object): Promise<Record<string, string>> => {
    const headers = { "content-type": "application/json", "x-cloudrun-oauth": "emulator" };
    return (await (await fetch(`${address}/_emulator/${path}`, { method: "POST", headers, body: JSON.stringify(body) })).json()) as Record<
      string,
      string
    >;
  };
  const serve = async (listener: RequestListener): Promise<string> => `http://127.0.0.1:${await listen(createServer(listener), atEnd)}`;

  const { json: found } = await request("GET", "cloudresourcemanager.googleapis.com", `/v1/projects/${project}`);
  const number = String(found["projectNumber"]);
  const pools = `projects/${number}/locations/global/workloadIdentityPools`;
  await ask("iam.googleapis.com", `/v1/projects/${project}/locations/global/workloadIdentityPools?workloadIdentityPoolId=pipelines`, {});
  await ask(
    "iam.googleapis.com",
    `/v1/projects/${project}/locations/global/workloadIdentityPools/pipelines/providers?workloadIdentityPoolProviderId=forge`,
    {
      oidc: { issuerUri: issuer.uri },
      attributeMapping: { "google.subject": "assertion.sub" },
      attributeCondition: "assertion.sub != 'stranger'",
    },
  );
  const provider = `${pools}/pipelines/providers/forge`;
  const workload = `principal://iam.googleapis.com/${pools}/pipelines/subject/job`;

  const deployer = await account("deployer");
  const first = await account("first-delegate");
  const second = await account("second-delegate");
  const caller = emulator.status().environment["SERVICE_ACCOUNT_EMAIL"] ?? "";
  const machine = `${number}-compute@developer.gserviceaccount.com`;
  await allow(
    deployer,
    "roles/iam.serviceAccountTokenCreator",
    `serviceAccount:${caller}`,
    `user:${PERSON}`,
    `serviceAccount:${second}`,
    workload,
  );
  await allow(first, "roles/iam.serviceAccountTokenCreator", `serviceAccount:${machine}`);
  await allow(second, "roles/iam.serviceAccountTokenCreator", `serviceAccount:${first}`);

  const { url } = await emulator.deploy("whoami", tinyService(WHOAMI));
  const members = [`serviceAccount:${caller}`, `serviceAccount:${deployer}`, `serviceAccount:${machine}`, `user:${PERSON}`];
  const policy = { bindings: [{ role: "roles/run.invoker", members }] };
  await ask("run.googleapis.com", `/v1/projects/${project}/locations/us-central1/services/whoami:setIamPolicy`, { policy });

  const run = (argv: readonly string[], given: Readonly<Record<string, string>> = {}) => {
    // A token that was kept would hide how the next one is got.
    const cache = mkdtempSync(join(folder, "cache-"));
    const env = { HOME: folder, CLOUDRUN_OAUTH_EMULATOR: address, CLOUDSDK_CONFIG: join(folder, "none"), CLOUDRUN_OAUTH_CACHE_DIR: cache };
    return runCli(argv, { cwd: folder, env: { ...env, ...given } });
  };
  const callerFile = emulator.status().environment["CREDS"] ?? "";
  const whoami = await request("GET", new URL(url).host, "/", { token: await emulator.idToken(url) });
  const metadata = String(whoami.json["metadata"]);

  const login = (body: object = {}) => admin("logins", { email: PERSON, ...body });
  const token = (claims: object = {}, options?: Parameters<typeof issuer.token>[1]) =>
    issuer.token({ sub: "job", aud: `https://iam.googleapis.com/${provider}`, ...claims }, options);
  /** A federation's configuration that acts as the deployer, as gcloud writes it. */
  const federation = (credential_source: object, changes: object = {}) => ({
    type: "external_account",
    audience: `//iam.googleapis.com/${provider}`,
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: "https://sts.googleapis.com/v1/token",
    service_account_impersonation_url: impersonationUrl(deployer),
    credential_source,
    ...changes,
  });
  return {
    ...emulator,
    emulatorUrl: address,
    folder,
    issuer,
    ask,
    write,
    read,
    remove,
    account,
    key,
    serve,
    run,
    login,
    token,
    federation,
    url,
    caller,
    callerFile,
    deployer,
    first,
    second,
    machine,
    metadata,
    provider,
    workload,
  };
}

export type CredentialWorld = Awaited<ReturnType<typeof openCredentialWorld>>;

export function impersonationUrl(email: string): string {
  return `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${email}:generateAccessToken`;
}

import { execPath } from "node:process";
import type { Given } from "./credential-kinds.ts";
import { impersonationUrl, type CredentialWorld } from "./credential-world.ts";

/** Credentials that get no token, by the kind and the fault of docs/credentials.md; each is made when it is asked for. */
export async function brokenCredentials(world: CredentialWorld): Promise<Readonly<Record<string, () => Given | Promise<Given>>>> {
  const { write, read, account, key, ask, serve, callerFile, deployer, first, provider, project, federation, token, login, request } =
    world;
  let count = 0;
  const file = (content: string | object): Given => ({ flags: ["--credentials", write(`broken/${(count += 1)}.json`, content)] });
  const text = JSON.stringify(read(callerFile), null, 2);
  const impersonated = (source_credentials: object, email = deployer, changes: object = {}) =>
    file({
      type: "impersonated_service_account",
      service_account_impersonation_url: impersonationUrl(email),
      source_credentials,
      ...changes,
    });
  const as = (...accounts: string[]): Given => ({
    flags: ["--credentials", callerFile, "--impersonate-service-account", accounts.join(",")],
  });
  const fromFile = (content: string, format?: object) => file(federation({ file: write(`broken/token-${(count += 1)}`, content), format }));
  const program = (code: string) => ({ executable: { command: `"${execPath}" ${write(`broken/${(count += 1)}.mjs`, code)}` } });
  const allowed = { GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES: "1" };
  const renewed = JSON.stringify({
    error: "invalid_grant",
    error_description: "reauth related error (invalid_rapt)",
    error_subtype: "invalid_rapt",
  });
  const revoke = async (refresh_token: string | undefined) =>
    request("POST", "oauth2.googleapis.com", "/revoke", {
      token: "",
      body: new URLSearchParams({ token: refresh_token ?? "" }).toString(),
    });
  const revoked = async () => {
    const mine = await login();
    await revoke(mine["refresh_token"]);
    return mine;
  };
  const iam = (email: string, verb: string) => ask("iam.googleapis.com", `/v1/projects/${project}/serviceAccounts/${email}:${verb}`, {});

  return {
    "none: no credentials found": () => ({}),
    "any: file not found": () => ({ flags: ["--credentials", "none.json"] }),
    "any: truncated file": () => file(text.slice(0, 900)),
    "any: truncated content": () => ({ env: { CREDS: JSON.stringify(read(callerFile)).slice(0, 900) } }),
    "any: unknown type": () => file({ type: "gdch" }),
    "service account key: deleted key": async () => {
      const email = await account("loses-its-key");
      const mine = await key(email);
      const path = `/v1/projects/${project}/serviceAccounts/${email}/keys/${mine["private_key_id"]}`;
      await request("DELETE", "iam.googleapis.com", path);
      return file(mine);
    },
    "service account key: untrusted token endpoint": () => file({ ...read(callerFile), token_uri: "https://tokens.example.com/token" }),
    "user login: missing field": async () => file({ ...(await login()), refresh_token: undefined }),
    "user login: revoked login": async () => file(await revoked()),
    "user login: reauthentication required": async () => {
      const token_uri = await serve((_, response) => void response.writeHead(400, { "content-type": "application/json" }).end(renewed));
      return file({ ...(await login()), token_uri: `${token_uri}/token` });
    },
    "user login: login lacks the openid scope": async () =>
      file(await login({ scopes: ["https://www.googleapis.com/auth/cloud-platform"] })),
    "user login: wrong client secret": async () => file({ ...(await login()), client_secret: "another" }),
    "user login: untrusted token endpoint": async () => file({ ...(await login()), token_uri: "https://tokens.example.com/token" }),
    "impersonation: missing role": () => as(first),
    "impersonation: delegate lacks the role": () => as(first, deployer),
    "impersonation: account not found": () => as(`nobody@${project}.iam.gserviceaccount.com`),
    "impersonation: disabled account": async () => {
      const email = await account("switched-off");
      const members = [`serviceAccount:${world.caller}`];
      await ask("iam.googleapis.com", `/v1/projects/${project}/serviceAccounts/${email}:setIamPolicy`, {
        policy: { bindings: [{ role: "roles/iam.serviceAccountTokenCreator", members }] },
      });
      await iam(email, "disable");
      return as(email);
    },
    "impersonation: revoked source login": async () => impersonated(await revoked()),
    "impersonation: untrusted API": async () =>
      impersonated(await login(), deployer, {
        service_account_impersonation_url: impersonationUrl(deployer).replace(
          "iamcredentials.googleapis.com",
          "iamcredentials.example.com",
        ),
      }),
    "federation: no service account configured": () =>
      file({ ...federation({ file: write("broken/a-token", token()) }), service_account_impersonation_url: undefined }),
    "federation: token file not found": () => file(federation({ file: "/nowhere/token" })),
    "federation: token file in another format": () => fromFile(token(), { type: "json", subject_token_field_name: "value" }),
    "federation: token server error": async () =>
      file(federation({ url: await serve((_, response) => void response.writeHead(403).end("secret")) })),
    "federation: untrusted token server": () => file(federation({ url: "https://tokens.example.com/" })),
    "federation: executable not allowed": () => file(federation(program("console.log(1)"))),
    "federation: executable failed": () => ({
      ...file(federation(program("console.error('eyJhbGciOiJub25lIn0'); process.exitCode = 7"))),
      env: allowed,
    }),
    "federation: executable returned no token": () => ({
      ...file(federation(program("console.log(JSON.stringify({ version: 1, success: false, code: '401', message: 'not signed in' }))"))),
      env: allowed,
    }),
    "federation: not on AWS": () => file(federation({ environment_id: "aws1" })),
    "federation: expired token": () => fromFile(token({}, { now: Date.now() - 7_200_000 })),
    "federation: wrong audience": () => fromFile(token({ aud: "https://example.com" })),
    "federation: rejected by the attribute condition": () => fromFile(token({ sub: "stranger" })),
    "federation: provider not found": () =>
      file({
        ...federation({ file: write("broken/b-token", token()) }),
        audience: `//iam.googleapis.com/${provider.replace("/forge", "/other")}`,
      }),
    "federation: untrusted token service": () => file({ ...federation({ file: "/x" }), token_url: "https://sts.example.com/v1/token" }),
    "GitHub OIDC: missing permission": () => ({
      env: { CLOUDRUN_OAUTH_WORKLOAD_IDENTITY_PROVIDER: provider, GITHUB_ACTIONS: "true" },
    }),
    "GitHub OIDC: invalid provider name": () => ({ env: { CLOUDRUN_OAUTH_WORKLOAD_IDENTITY_PROVIDER: "forge" } }),
    "GitLab OIDC: variable not set": () => ({
      env: { CLOUDRUN_OAUTH_WORKLOAD_IDENTITY_PROVIDER: provider, CLOUDRUN_OAUTH_ID_TOKEN_VARIABLE: "NOT_THERE" },
    }),
    "metadata server: no service account attached": async () => {
      const host = await serve((_, response) => void response.writeHead(404, { "metadata-flavor": "Google" }).end("Not found."));
      return { env: { GCE_METADATA_HOST: new URL(host).host } };
    },
    "metadata server: not a metadata server": async () => ({
      env: { GCE_METADATA_HOST: new URL(await serve((_, response) => void response.end("hello"))).host },
    }),
    "metadata server: unreachable GCE_METADATA_HOST": () => ({ env: { GCE_METADATA_HOST: "127.0.0.1:1" } }),
  };
}

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
    "none: nothing was found": () => ({}),
    "any: the file is not there": () => ({ flags: ["--credentials", "none.json"] }),
    "any: the file is cut off": () => file(text.slice(0, 900)),
    "any: the content is cut off": () => ({ env: { CREDS: JSON.stringify(read(callerFile)).slice(0, 900) } }),
    "any: the type is unknown": () => file({ type: "gdch" }),
    "service account key: the key was deleted": async () => {
      const email = await account("loses-its-key");
      const mine = await key(email);
      const path = `/v1/projects/${project}/serviceAccounts/${email}/keys/${mine["private_key_id"]}`;
      await request("DELETE", "iam.googleapis.com", path);
      return file(mine);
    },
    "service account key: it names a strange token endpoint": () =>
      file({ ...read(callerFile), token_uri: "https://tokens.example.com/token" }),
    "a person's login: a field is missing": async () => file({ ...(await login()), refresh_token: undefined }),
    "a person's login: it was revoked": async () => file(await revoked()),
    "a person's login: the organisation wants it renewed": async () => {
      const token_uri = await serve((_, response) => void response.writeHead(400, { "content-type": "application/json" }).end(renewed));
      return file({ ...(await login()), token_uri: `${token_uri}/token` });
    },
    "a person's login: it was made without openid": async () =>
      file(await login({ scopes: ["https://www.googleapis.com/auth/cloud-platform"] })),
    "a person's login: the client's secret is wrong": async () => file({ ...(await login()), client_secret: "another" }),
    "a person's login: it names a strange token endpoint": async () =>
      file({ ...(await login()), token_uri: "https://tokens.example.com/token" }),
    "impersonation: the role is missing": () => as(first),
    "impersonation: a delegate's role is missing": () => as(first, deployer),
    "impersonation: the account is not there": () => as(`nobody@${project}.iam.gserviceaccount.com`),
    "impersonation: the account is disabled": async () => {
      const email = await account("switched-off");
      const members = [`serviceAccount:${world.caller}`];
      await ask("iam.googleapis.com", `/v1/projects/${project}/serviceAccounts/${email}:setIamPolicy`, {
        policy: { bindings: [{ role: "roles/iam.serviceAccountTokenCreator", members }] },
      });
      await iam(email, "disable");
      return as(email);
    },
    "impersonation: its source was revoked": async () => impersonated(await revoked()),
    "impersonation: it names a strange API": async () =>
      impersonated(await login(), deployer, {
        service_account_impersonation_url: impersonationUrl(deployer).replace(
          "iamcredentials.googleapis.com",
          "iamcredentials.example.com",
        ),
      }),
    "federation: no account is named": () =>
      file({ ...federation({ file: write("broken/a-token", token()) }), service_account_impersonation_url: undefined }),
    "federation: the token's file is not there": () => file(federation({ file: "/nowhere/token" })),
    "federation: the token's file holds another thing": () => fromFile(token(), { type: "json", subject_token_field_name: "value" }),
    "federation: the token's server says no": async () =>
      file(federation({ url: await serve((_, response) => void response.writeHead(403).end("secret")) })),
    "federation: the token's server is strange": () => file(federation({ url: "https://tokens.example.com/" })),
    "federation: the program is not allowed": () => file(federation(program("console.log(1)"))),
    "federation: the program fails": () => ({
      ...file(federation(program("console.error('eyJhbGciOiJub25lIn0'); process.exitCode = 7"))),
      env: allowed,
    }),
    "federation: the program has no token": () => ({
      ...file(federation(program("console.log(JSON.stringify({ version: 1, success: false, code: '401', message: 'not signed in' }))"))),
      env: allowed,
    }),
    "federation: AWS is not there": () => file(federation({ environment_id: "aws1" })),
    "federation: the token has expired": () => fromFile(token({}, { now: Date.now() - 7_200_000 })),
    "federation: the token is for somebody else": () => fromFile(token({ aud: "https://example.com" })),
    "federation: the provider's condition says no": () => fromFile(token({ sub: "stranger" })),
    "federation: the provider is not there": () =>
      file({
        ...federation({ file: write("broken/b-token", token()) }),
        audience: `//iam.googleapis.com/${provider.replace("/forge", "/other")}`,
      }),
    "federation: it names a strange token service": () =>
      file({ ...federation({ file: "/x" }), token_url: "https://sts.example.com/v1/token" }),
    "GitHub's OIDC: the permission is missing": () => ({
      env: { CLOUDRUN_OAUTH_WORKLOAD_IDENTITY_PROVIDER: provider, GITHUB_ACTIONS: "true" },
    }),
    "GitHub's OIDC: the provider's name is none": () => ({ env: { CLOUDRUN_OAUTH_WORKLOAD_IDENTITY_PROVIDER: "forge" } }),
    "GitLab's OIDC: the variable is not there": () => ({
      env: { CLOUDRUN_OAUTH_WORKLOAD_IDENTITY_PROVIDER: provider, CLOUDRUN_OAUTH_ID_TOKEN_VARIABLE: "NOT_THERE" },
    }),
    "metadata server: the machine has no account": async () => {
      const host = await serve((_, response) => void response.writeHead(404, { "metadata-flavor": "Google" }).end("Not found."));
      return { env: { GCE_METADATA_HOST: new URL(host).host } };
    },
    "metadata server: something else answers": async () => ({
      env: { GCE_METADATA_HOST: new URL(await serve((_, response) => void response.end("hello"))).host },
    }),
    "metadata server: nothing answers where GCE_METADATA_HOST says": () => ({ env: { GCE_METADATA_HOST: "127.0.0.1:1" } }),
  };
}

import { execPath } from "node:process";
import { impersonationUrl, PERSON, type CredentialWorld } from "./credential-world.ts";

/** How the command line is told of credentials. */
export interface Given {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface Working extends Given {
  /** Whose the token is. */
  readonly email: string;
  /** Whom it is for, where that is not the service. */
  readonly audience?: string;
}

const APPLICATION_DEFAULT = "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com";

/** Credentials of every kind that get in, by what docs/credentials.md calls them. */
export async function workingCredentials(world: CredentialWorld): Promise<Readonly<Record<string, Working>>> {
  const { write, callerFile, caller, deployer, machine, metadata, provider, federation, token, login, serve } = world;
  const file = (name: string, content: string | object): Given => ({ flags: ["--credentials", write(`kinds/${name}.json`, content)] });
  const logged = await login();
  const answers = await serve((request, response) => {
    const query = new URL(request.url ?? "/", "http://localhost").searchParams;
    if (request.headers.authorization !== "Bearer of-the-job") return void response.writeHead(403).end();
    response.end(JSON.stringify({ value: token({ aud: query.get("audience") ?? undefined }) }));
  });
  const audience = `https://iam.googleapis.com/${provider}`;
  const program = write(
    "kinds/program.mjs",
    `const { GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE: audience, GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL: email } = process.env;
    const good = audience === "//iam.googleapis.com/${provider}" && email === "${deployer}" && process.argv[2] === "two words";
    const token_type = "urn:ietf:params:oauth:token-type:jwt";
    console.log(JSON.stringify({ version: 1, success: true, token_type, id_token: good ? "${token()}" : "", expiration_time: 32503680000 }));`,
  );
  const gcloud = write("kinds/gcloud/active_config", "mine").replace(/\/active_config$/, "");
  write("kinds/gcloud/configurations/config_mine", `[core]\naccount = ${PERSON}\n`);
  write(`kinds/gcloud/legacy_credentials/${PERSON}/adc.json`, await login());
  const pipeline = {
    CLOUDRUN_OAUTH_WORKLOAD_IDENTITY_PROVIDER: `//iam.googleapis.com/${provider}`,
    CLOUDRUN_OAUTH_IMPERSONATE_SERVICE_ACCOUNT: deployer,
  };

  return {
    "service account key": { flags: ["--credentials", callerFile], email: caller },
    "user login": { ...file("login", logged), email: PERSON, audience: APPLICATION_DEFAULT },
    impersonation: {
      ...file("impersonation", {
        type: "impersonated_service_account",
        service_account_impersonation_url: impersonationUrl(deployer),
        source_credentials: logged,
      }),
      email: deployer,
    },
    "--impersonate-service-account": { flags: ["--credentials", callerFile, "--impersonate-service-account", deployer], email: deployer },
    "federation, file": { ...file("file", federation({ file: write("kinds/token", `${token()}\n`) })), email: deployer },
    "federation, URL": {
      ...file(
        "url",
        federation({
          url: `${answers}/?audience=${audience}`,
          headers: { Authorization: "Bearer of-the-job" },
          format: { type: "json", subject_token_field_name: "value" },
        }),
      ),
      email: deployer,
    },
    "federation, executable": {
      ...file("program", federation({ executable: { command: `"${execPath}" ${program} "two words"`, timeout_millis: 30_000 } })),
      env: { GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES: "1" },
      email: deployer,
    },
    "federation, AWS": {
      ...file(
        "aws",
        federation(
          {
            environment_id: "aws1",
            regional_cred_verification_url: "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
          },
          { token_url: `${await serveAwsExchange(world)}/v1/token`, subject_token_type: "urn:ietf:params:aws:token-type:aws4_request" },
        ),
      ),
      env: { AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret", AWS_SESSION_TOKEN: "session" },
      email: deployer,
    },
    "GitHub OIDC": {
      env: { ...pipeline, ACTIONS_ID_TOKEN_REQUEST_URL: `${answers}/?api-version=2`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "of-the-job" },
      email: deployer,
    },
    "GitLab OIDC": { env: { ...pipeline, CLOUDRUN_OAUTH_ID_TOKEN_VARIABLE: "MY_TOKEN", MY_TOKEN: token() }, email: deployer },
    "metadata server": { env: { GCE_METADATA_HOST: metadata }, email: machine },
    "gcloud account": { env: { CLOUDSDK_CONFIG: gcloud }, email: PERSON, audience: APPLICATION_DEFAULT },
  };
}

/**
 * Google's token service as far as AWS is concerned, which the emulator is not: takes a request to AWS that was signed for this region and key,
 * and answers with what the emulator gives for a token of the same workload.
 */
function serveAwsExchange({ serve, token, provider, request }: CredentialWorld): Promise<string> {
  return serve(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const { url, method, headers } = JSON.parse(decodeURIComponent(form.get("subject_token") ?? "")) as {
      readonly url: string;
      readonly method: string;
      readonly headers: readonly { readonly key: string; readonly value: string }[];
    };
    const values = new Map(headers.map(({ key, value }) => [key.toLowerCase(), value]));
    const isGood =
      method === "POST" &&
      url === "https://sts.eu-west-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15" &&
      values.get("x-goog-cloud-target-resource") === `//iam.googleapis.com/${provider}` &&
      values.get("x-amz-security-token") === "session" &&
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/sts\/aws4_request, /.test(values.get("authorization") ?? "");
    if (!isGood) return void response.writeHead(400).end(JSON.stringify({ error: "invalid_grant" }));
    form.set("subject_token", token());
    form.set("subject_token_type", "urn:ietf:params:oauth:token-type:jwt");
    const answer = await request("POST", "sts.googleapis.com", "/v1/token", { token: "", body: form.toString() });
    response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.text);
  });
}

import type { AwsClient, IdentityPoolClient } from "google-auth-library";
import { CliError } from "../../errors/cli-error.ts";
import { externalStep, type NextStep } from "../../errors/next-step.ts";
import type { Credentials } from "../credentials.ts";
import type { AuthContext } from "../auth-context.ts";
import { openFieldReader, type FieldReader } from "../field-reader.ts";
import type { JsonObject } from "../json-object.ts";
import { transportOptions, type TokenRefusal, fetchLibraryAccessToken, describeTokenRefusal } from "../google-auth-transport.ts";
import { readAwsSource, type AwsSource } from "../subject-token/aws.ts";
import { readExecutableSource } from "../subject-token/executable.ts";
import { readFileSource } from "../subject-token/file.ts";
import { readUrlSource } from "../subject-token/url.ts";
import { assertGoogleHost } from "../google-hosts.ts";
import { assertImpersonationHost, impersonate, readImpersonationUrl } from "./impersonated-service-account.ts";

/** Where the token that Google's Security Token Service exchanges comes from. */
export type SubjectTokenSource = { readonly from: string; readonly supply: () => Promise<string>; readonly secret?: string } | AwsSource;

interface Federation {
  /** The provider's full name, `//iam.googleapis.com/projects/…`. */
  readonly audience: string;
  readonly subjectTokenType: string;
  readonly tokenUrl: string;
  readonly source: SubjectTokenSource;
}

export const STS_TOKEN_URL = "https://sts.googleapis.com/v1/token";
const CONFIGURE_STEP = externalStep(
  "To create the file",
  "gcloud",
  ..."iam workload-identity-pools create-cred-config PROVIDER --service-account ACCOUNT --output-file FILE".split(" "),
);

/**
 * `external_account`: workload identity federation, as gcloud's create-cred-config and google-github-actions/auth write it.
 * https://google.aip.dev/auth/4117 Throws CliError CREDENTIALS_INVALID.
 */
export function readExternalAccount(value: JsonObject, origin: string, subject: string, context: AuthContext): Credentials {
  const fields = openFieldReader(value, subject, CONFIGURE_STEP);
  const { env } = context;
  const tokenUrl = fields.optionalUrl("token_url") ?? STS_TOKEN_URL;
  assertGoogleHost(new URL(tokenUrl), {
    field: "token_url",
    subject,
    hosts: /^sts(?:\.[a-z0-9-]+)*\.googleapis\.com$/,
    usual: STS_TOKEN_URL,
    env,
  });
  const target = fields.optionalText("service_account_impersonation_url") === undefined ? undefined : readImpersonationUrl(fields);
  if (target) assertImpersonationHost(target.endpoint, subject, env);
  const audience = fields.public("audience", /^(?:https:)?\/\/iam\.googleapis\.com\/[\w./-]+$/);
  const subjectTokenType = fields.public("subject_token_type", /^urn:[\w:.-]+$/);
  const source = readSource(fields, { audience, subjectTokenType, account: target?.account }, subject, context);
  const federated = federatedCredentials({ audience, subjectTokenType, tokenUrl, source }, origin, context);
  return target ? impersonate(federated, { account: target.account, delegates: [] }, context, target.endpoint) : federated;
}

function readSource(
  fields: FieldReader,
  about: { audience: string; subjectTokenType: string; account: string | undefined },
  subject: string,
  context: AuthContext,
): SubjectTokenSource {
  const source = fields.object("credential_source");
  const reader = openFieldReader(source, subject, CONFIGURE_STEP, "credential_source.");
  if ("environment_id" in source) return readAwsSource(reader, subject, context);
  if ("executable" in source)
    return readExecutableSource(
      openFieldReader(reader.object("executable"), subject, CONFIGURE_STEP, "credential_source.executable."),
      about,
      context,
    );
  if ("file" in source) return readFileSource(reader, subject);
  if ("url" in source) return readUrlSource(reader, subject, context);
  throw fields.invalid("has an unknown credential_source: expected file, url, executable, or AWS");
}

/** A workload that authenticates with its provider's token. It gets access tokens but no ID tokens: only service accounts have those. */
export function federatedCredentials(
  { audience, subjectTokenType, tokenUrl, source }: Federation,
  origin: string,
  context: AuthContext,
): Credentials {
  const pool = audience.replace(/^.*\/workloadIdentityPools\//, "").replace("/providers/", ", provider ");
  let library: Promise<IdentityPoolClient | AwsClient> | undefined;
  const client = () =>
    (library ??= openLibraryClient(
      { audience, subject_token_type: subjectTokenType, token_url: tokenUrl, type: "external_account" as const },
      source,
      context,
    ));
  const refuse = (refusal: TokenRefusal) => explainExchangeRefusal(refusal, source.from);
  return {
    principal: undefined,
    description: `a workload of pool ${pool}, from ${origin}, with the token from ${source.from}`,
    identity: ["external_account", tokenUrl, audience, source.from, ("secret" in source && source.secret) || ""],
    tokenRequest: { method: "POST", url: tokenUrl },
    fetchIdToken: async () => {
      throw new CliError(
        "CREDENTIALS_INVALID",
        `The credentials from ${origin} don't name a service account, and federated workloads can't get ID tokens without one.`,
        { hint: "Pass --impersonate-service-account with an account that can invoke the service." },
      );
    },
    fetchAccessToken: () => fetchLibraryAccessToken(tokenUrl, client, refuse),
  };
}

async function openLibraryClient(
  options: { audience: string; subject_token_type: string; token_url: string; type: "external_account" },
  source: SubjectTokenSource,
  { send }: AuthContext,
): Promise<IdentityPoolClient | AwsClient> {
  const transporterOptions = transportOptions(send);
  const { AwsClient, IdentityPoolClient } = await import("../google-auth-library.ts");
  const client =
    "aws" in source
      ? new AwsClient({ ...options, aws_security_credentials_supplier: source.aws, transporterOptions })
      : new IdentityPoolClient({ ...options, subject_token_supplier: { getSubjectToken: source.supply }, transporterOptions });
  // The library has no option for the transport of this client.
  Object.assign((client as unknown as { stsCredential: object }).stsCredential, { transporter: client.transporter });
  return client;
}

function explainExchangeRefusal(refusal: TokenRefusal, from: string): CliError {
  const { host, status, error, description } = refusal;
  const refusalText = describeTokenRefusal(refusal);
  return new CliError("TOKEN_REFUSED", `${host} rejected the token from ${from}: ${refusalText}.`, {
    ...(REMEDIES.find(([pattern]) => pattern.test(`${error} ${description}`))?.[1] ?? { hint: "Check the provider's configuration." }),
    details: { error, error_description: description, status_code: status },
  });
}

const POOL_COMMAND = ["gcloud", "iam", "workload-identity-pools", "providers"] as const;

const REMEDIES: readonly (readonly [RegExp, { readonly hint: string; readonly next?: readonly NextStep[] }])[] = [
  [
    /invalid_target/,
    {
      hint: "The pool or its provider might not exist, or might be disabled.",
      next: [externalStep("To list providers", ...POOL_COMMAND, "list", "--location", "global", "--workload-identity-pool", "POOL")],
    },
  ],
  [
    /attribute condition/,
    {
      hint: "The provider's attribute condition excludes this workload.",
      next: [externalStep("To see the condition", ...POOL_COMMAND, "describe", "PROVIDER")],
    },
  ],
  [/stale/, { hint: "The token has expired. Get a new one from its source." }],
  [/audience/, { hint: "The provider must allow the token's audience. The default is the provider's full name with the prefix https:." }],
  [/issuer/, { hint: "The token's issuer isn't the provider's." }],
];

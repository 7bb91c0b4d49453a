import { CliError } from "../../errors/cli-error.ts";
import type { Credentials } from "../credentials.ts";
import type { AuthContext } from "../auth-context.ts";
import { federatedCredentials, STS_TOKEN_URL, type SubjectTokenSource } from "./external-account.ts";
import { parseJsonObject } from "../json-object.ts";
import { fetchToken } from "../subject-token/url.ts";

const PROVIDER_VARIABLE = "CLOUDRUN_OAUTH_WORKLOAD_IDENTITY_PROVIDER";
const TOKEN_VARIABLE = "CLOUDRUN_OAUTH_ID_TOKEN_VARIABLE";
/** The name in the `id_tokens:` example of GitLab's documentation. */
const GITLAB_TOKEN_VARIABLE = "GITLAB_OIDC_TOKEN";

/**
 * A pipeline that authenticates with its GitHub or GitLab token, without a configuration file; undefined if no provider is set.
 * Throws CliError CREDENTIALS_MISSING if the pipeline has no such token, CREDENTIALS_INVALID if the provider's name isn't valid.
 */
export function pipelineCredentials(context: AuthContext): Credentials | undefined {
  const named = context.env[PROVIDER_VARIABLE];
  if (!named) return undefined;
  const provider = named.replace(/^(?:https:)?\/\/iam\.googleapis\.com\//, "");
  if (!/^projects\/\d+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]+\/providers\/[a-z0-9-]+$/.test(provider)) {
    throw new CliError("CREDENTIALS_INVALID", `Invalid ${PROVIDER_VARIABLE}.`, {
      hint: "Expected projects/PROJECT_NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER.",
    });
  }
  return federatedCredentials(
    {
      audience: `//iam.googleapis.com/${provider}`,
      subjectTokenType: "urn:ietf:params:oauth:token-type:jwt",
      tokenUrl: STS_TOKEN_URL,
      source: findSource(provider, context),
    },
    PROVIDER_VARIABLE,
    context,
  );
}

function findSource(provider: string, { env, send }: AuthContext): SubjectTokenSource {
  const variable = env[TOKEN_VARIABLE] || (env[GITLAB_TOKEN_VARIABLE] ? GITLAB_TOKEN_VARIABLE : undefined);
  if (variable !== undefined) {
    const token = /^\w+$/.test(variable) ? env[variable] : undefined;
    if (!token) {
      throw new CliError("CREDENTIALS_MISSING", `The environment variable named in ${TOKEN_VARIABLE} isn't set in this job.`, {
        hint: "Add it to the job: id_tokens: { NAME: { aud: https://iam.googleapis.com/PROVIDER } }",
      });
    }
    return { from: `the variable ${variable}`, supply: async () => token, secret: token };
  }
  const { ACTIONS_ID_TOKEN_REQUEST_URL: address, ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret } = env;
  if (address && secret && URL.canParse(address))
    return { from: "GitHub", secret, supply: () => askGitHub(new URL(address), secret, provider, send) };
  throw new CliError("CREDENTIALS_MISSING", `${PROVIDER_VARIABLE} is set, but this job has no OIDC token.`, {
    hint: `On GitHub, add permissions: { id-token: write }. On GitLab, add id_tokens: { ${GITLAB_TOKEN_VARIABLE}: { aud: https://iam.googleapis.com/PROVIDER } }`,
  });
}

/** https://docs.github.com/actions/reference/security/oidc */
function askGitHub(url: URL, secret: string, provider: string, send: AuthContext["send"]): Promise<string> {
  url.searchParams.set("audience", `https://iam.googleapis.com/${provider}`);
  return fetchToken({ url, headers: [["Authorization", `Bearer ${secret}`]], take: valueOf, send });
}

function valueOf(text: string): string | undefined {
  const value = parseJsonObject(text)?.["value"];
  return typeof value === "string" ? value : undefined;
}

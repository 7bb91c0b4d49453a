import { CliError } from "../../errors/cli-error.ts";
import type { Credentials } from "../credentials.ts";
import type { Exchange } from "../service-account-tokens.ts";
import { federatedCredentials, STS, type Source } from "./external-account.ts";
import { isFields } from "../field-reader.ts";
import { fetchToken } from "../subject-token/url.ts";

const PROVIDER = "CLOUDRUN_OAUTH_WORKLOAD_IDENTITY_PROVIDER";
const VARIABLE = "CLOUDRUN_OAUTH_ID_TOKEN_VARIABLE";
/** What GitLab's documentation calls it in its example of `id_tokens:`. */
const USUAL = "GITLAB_OIDC_TOKEN";

/**
 * A pipeline that is known by the token that GitHub or GitLab gives it, without a configuration file; undefined where no provider is named.
 * Throws CREDENTIALS_MISSING where the pipeline has no such token, CREDENTIALS_INVALID where the provider's name is none.
 */
export function pipelineCredentials(exchange: Exchange): Credentials | undefined {
  const named = exchange.env[PROVIDER];
  if (!named) return undefined;
  const provider = named.replace(/^(?:https:)?\/\/iam\.googleapis\.com\//, "");
  if (!/^projects\/\d+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]+\/providers\/[a-z0-9-]+$/.test(provider)) {
    throw new CliError("CREDENTIALS_INVALID", `${PROVIDER} is not the name of a provider.`, {
      hint: "It looks like projects/PROJECT_NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER",
    });
  }
  return federatedCredentials(
    {
      audience: `//iam.googleapis.com/${provider}`,
      subjectTokenType: "urn:ietf:params:oauth:token-type:jwt",
      tokenUrl: STS,
      source: findSource(provider, exchange),
    },
    PROVIDER,
    exchange,
  );
}

function findSource(provider: string, { env, send }: Exchange): Source {
  const variable = env[VARIABLE] || (env[USUAL] ? USUAL : undefined);
  if (variable !== undefined) {
    const token = /^\w+$/.test(variable) ? env[variable] : undefined;
    if (!token) {
      throw new CliError("CREDENTIALS_MISSING", `${VARIABLE} names a variable that the pipeline does not have.`, {
        hint: "Let the job have it: id_tokens: { NAME: { aud: https://iam.googleapis.com/PROVIDER } }",
      });
    }
    return { from: `the variable ${variable}`, supply: async () => token, secret: token };
  }
  const { ACTIONS_ID_TOKEN_REQUEST_URL: address, ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret } = env;
  if (address && secret && URL.canParse(address))
    return { from: "GitHub", secret, supply: () => askGitHub(new URL(address), secret, provider, send) };
  throw new CliError("CREDENTIALS_MISSING", `${PROVIDER} is set, and this pipeline has no token for it.`, {
    hint: `On GitHub: permissions: { id-token: write }. On GitLab: id_tokens: { ${USUAL}: { aud: https://iam.googleapis.com/PROVIDER } }`,
  });
}

/** https://docs.github.com/actions/reference/security/oidc */
function askGitHub(url: URL, secret: string, provider: string, send: Exchange["send"]): Promise<string> {
  url.searchParams.set("audience", `https://iam.googleapis.com/${provider}`);
  return fetchToken({ url, headers: [["Authorization", `Bearer ${secret}`]], take: valueOf, send });
}

function valueOf(text: string): string | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return isFields(answer) && typeof answer["value"] === "string" ? answer["value"] : undefined;
  } catch {
    return undefined;
  }
}

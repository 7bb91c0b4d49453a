import type { AwsSecurityCredentialsSupplier } from "google-auth-library";
import { CliError } from "../../errors/cli-error.ts";
import type { AuthContext } from "../auth-context.ts";
import type { FieldReader } from "../field-reader.ts";
import { parseJsonObject } from "../json-object.ts";
import { assertSourceHost } from "./url.ts";

/** AWS proves the caller's identity with a signed request to AWS itself, which google-auth-library signs. */
export interface AwsSource {
  readonly from: string;
  readonly aws: AwsSecurityCredentialsSupplier;
}

const TIMEOUT_MS = 5000;

/** Takes credentials and region from AWS's environment variables, else from an EC2 instance's metadata server: https://google.aip.dev/auth/4117 */
export function readAwsSource(source: FieldReader, subject: string, { env, send }: AuthContext): AwsSource {
  if (source.text("environment_id") !== "aws1") throw source.invalid("has an invalid credential_source.environment_id: expected aws1");
  const verification = source.optionalText("regional_cred_verification_url");
  if (
    verification !== undefined &&
    !/^https:\/\/sts\.(?:\{region\}\.)?amazonaws\.com(?:\.cn)?\?Action=GetCallerIdentity&Version=2011-06-15$/.test(verification)
  )
    throw source.invalid("has a credential_source.regional_cred_verification_url that isn't AWS's");
  const [region, credentials, session] = ["region_url", "url", "imdsv2_session_token_url"].map((name) => {
    const url = source.optionalUrl(name);
    if (url !== undefined) assertSourceHost(new URL(url), `credential_source.${name}`, subject, env);
    return url;
  });

  const ask = async (method: "GET" | "PUT", url: string | undefined, headers: readonly (readonly [string, string])[]) => {
    if (url === undefined) {
      throw new CliError("CREDENTIALS_MISSING", "No AWS credentials found.", {
        hint: "Set AWS_REGION, AWS_ACCESS_KEY_ID, and AWS_SECRET_ACCESS_KEY, or run this on an EC2 instance.",
      });
    }
    const response = await send({ method, url, headers, timeoutMs: TIMEOUT_MS });
    const text = (await response.text()).trim();
    if (response.status === 200) return text;
    throw new CliError("TOKEN_REFUSED", `The AWS metadata server returned ${response.status}.`, {
      details: { status_code: response.status },
    });
  };
  const secret = async (): Promise<readonly (readonly [string, string])[]> =>
    session === undefined
      ? []
      : [["x-aws-ec2-metadata-token", await ask("PUT", session, [["x-aws-ec2-metadata-token-ttl-seconds", "300"]])]];

  return {
    from: "AWS",
    aws: {
      getAwsRegion: async () => env["AWS_REGION"] || env["AWS_DEFAULT_REGION"] || (await ask("GET", region, await secret())).slice(0, -1),
      async getAwsSecurityCredentials() {
        const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: token } = env;
        if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey, token };
        const headers = await secret();
        const role = await ask("GET", credentials, headers);
        return readCredentials(await ask("GET", `${credentials}/${role}`, headers));
      },
    },
  };
}

function readCredentials(text: string) {
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: token } = parseJsonObject(text) ?? {};
  if (typeof accessKeyId === "string" && typeof secretAccessKey === "string")
    return { accessKeyId, secretAccessKey, token: typeof token === "string" ? token : undefined };
  throw new CliError("TOKEN_REFUSED", "The AWS metadata server returned no credentials.", { hint: "Attach a role to the instance." });
}

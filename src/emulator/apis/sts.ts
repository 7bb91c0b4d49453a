import type { ApiRequest } from "../server/api-request.ts";
import { OAuthError } from "../server/errors.ts";
import { exchangeToken } from "../oauth2/token-exchange.ts";
import type { Api } from "../server/router.ts";
import type { TokenRuntime } from "../runtime.ts";

/** The Security Token Service: https://cloud.google.com/iam/docs/reference/sts/rest */
export function createStsApi(runtime: TokenRuntime): Api {
  return {
    hosts: ["sts.googleapis.com"],
    routes: { "POST /v1/token": { handle: async (call) => exchangeToken(await readFields(call), runtime), public: true } },
  };
}

/** The request's fields under OAuth's names; in JSON they have Google's, such as `subjectToken` for `subject_token`. */
async function readFields({ headers, body }: ApiRequest): Promise<URLSearchParams> {
  if (!headers["content-type"]?.startsWith("application/json")) return body.form();
  const fields = Object.entries(await body.json());
  if (!fields.every(([, value]) => typeof value === "string")) throw new OAuthError("invalid_request", "Invalid JSON payload received.");
  const renamed = fields.map(([name, value]): [string, string] => [
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    String(value),
  ]);
  return new URLSearchParams(renamed);
}

import { OAuthError } from "../server/errors.ts";
import { meetsAttributeCondition, mapAttributes, type Attributes } from "../iam/attributes.ts";
import { poolName } from "../iam/pools.ts";
import { findProject } from "../state/projects.ts";
import type { WorkloadIdentityProvider } from "../state/resources.ts";
import type { Runtime, TokenRuntime } from "../runtime.ts";
import { issueAccessToken } from "./access-tokens.ts";
import { isScope } from "./assertion.ts";

const AUDIENCE = /^\/\/iam\.googleapis\.com\/projects\/(\d+)\/locations\/global\/workloadIdentityPools\/([^/]+)\/providers\/([^/]+)$/;
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
const SUBJECTS = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];
const LIFETIME_SECONDS = 3600;

/** Exchanges a token of a registered identity provider for a federated access token (RFC 8693): https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token */
export async function exchangeToken(form: URLSearchParams, runtime: TokenRuntime): Promise<object> {
  const { state, now } = runtime;
  requireValue(form, "grant_type", ["urn:ietf:params:oauth:grant-type:token-exchange"]);
  requireValue(form, "requested_token_type", [ACCESS_TOKEN]);
  requireValue(form, "subject_token_type", SUBJECTS);
  const scopes = (form.get("scope") ?? "").split(/\s+/).filter(Boolean);
  if (scopes.length === 0 || !scopes.every(isScope)) throw new OAuthError("invalid_scope", "Some requested scopes cannot be shown.");
  const { pool, provider } = findTarget(form.get("audience") ?? "", runtime);

  // Loaded when needed: the libraries are slow to load, and most emulators never use them.
  const { verifyCredential } = await import("./external-credential.ts");
  const assertion = await verifyCredential(form.get("subject_token") ?? "", provider, runtime);
  const attributes = map(provider, assertion);
  if (!meetsAttributeCondition(provider, assertion, attributes))
    throw new OAuthError("unauthorized_client", "The given credential is rejected by the attribute condition.");

  const principal = `principal://iam.googleapis.com/${poolName({ projectNumber: provider.projectNumber, id: provider.pool })}/subject/${attributes.subject}`;
  const federated = { pool, principalSets: setsOf(provider, attributes) };
  const token = issueAccessToken(state, { email: principal, federated, scopes, expires: Math.floor(now() / 1000) + LIFETIME_SECONDS });
  return { access_token: token, issued_token_type: ACCESS_TOKEN, token_type: "Bearer", expires_in: LIFETIME_SECONDS };
}

function requireValue(form: URLSearchParams, name: string, values: readonly string[]): void {
  const value = form.get(name);
  if (value === null || value === "") throw new OAuthError("invalid_request", `Missing required parameter: ${name}`);
  if (!values.includes(value)) throw new OAuthError("invalid_request", `Invalid value for "${name}". Expected: ${values.join(", ")}.`);
}

function findTarget(audience: string, { state }: Pick<Runtime, "state">): { pool: string; provider: WorkloadIdentityProvider } {
  const [, number = "", poolId, providerId] = AUDIENCE.exec(audience) ?? [];
  if (poolId === undefined) {
    throw new OAuthError(
      "invalid_request",
      'Invalid value for "audience". This value should be the full resource name of the Identity Provider. See https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token for the list of possible formats.',
    );
  }
  const key = `${findProject(state, number)?.projectId}/${poolId}`;
  const pool = state.workloadIdentityPools.get(key);
  const provider = state.workloadIdentityProviders.get(`${key}/${providerId}`);
  if (provider && pool && [pool, provider].every((each) => each.state === "ACTIVE" && !each.disabled)) return { pool: key, provider };
  throw new OAuthError(
    "invalid_target",
    'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn\'t exist.',
  );
}

function map(provider: WorkloadIdentityProvider, assertion: Readonly<Record<string, unknown>>): Attributes {
  try {
    return mapAttributes(provider, assertion);
  } catch (error) {
    throw new OAuthError("invalid_grant", (error as Error).message);
  }
}

/** https://cloud.google.com/iam/docs/principal-identifiers */
function setsOf({ projectNumber, pool }: WorkloadIdentityProvider, { groups, custom }: Attributes): string[] {
  const base = `principalSet://iam.googleapis.com/${poolName({ projectNumber, id: pool })}`;
  const attributes = Object.entries(custom).map(([name, value]) => `attribute.${name}/${value}`);
  return ["*", ...groups.map((group) => `group/${group}`), ...attributes].map((set) => `${base}/${set}`);
}

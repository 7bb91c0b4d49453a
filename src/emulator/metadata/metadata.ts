import { ApiError, invalidArgument } from "../server/errors.ts";
import { isScope } from "../oauth2/assertion.ts";
import { findAccessToken, issueAccessToken } from "../oauth2/access-tokens.ts";
import { issueIdToken } from "../oauth2/id-tokens.ts";
import type { Project, ServiceAccount } from "../state/resources.ts";
import type { Runtime, TokenRuntime } from "../runtime.ts";

export interface InstanceIdentity {
  readonly project: Project;
  readonly region: string;
  readonly instanceId: string;
  /** Email address of the account that the revision runs as. */
  readonly serviceAccount: string;
}

/** A value: text, a number, lines of text, or a function for values that are created on request, which listings omit. */
type Leaf = string | number | readonly string[] | ((query: URLSearchParams) => Promise<string | object>);

/** A folder of the metadata server, by the names in its paths. */
export interface Folder {
  readonly [name: string]: Leaf | Folder;
}

const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";
/** A cached access token is returned again if it stays valid this long. */
const MIN_REMAINING_SECONDS = 300;

/** The contents of `/computeMetadata/v1/`: https://cloud.google.com/run/docs/container-contract#metadata-server */
export function describeInstance(runtime: TokenRuntime, { project, region, instanceId, serviceAccount: email }: InstanceIdentity): Folder {
  const account: Folder = {
    aliases: ["default"],
    email,
    identity: (query) => createIdToken(runtime, email, query),
    scopes: [CLOUD_PLATFORM],
    token: createTokenSource(runtime, email),
  };
  return {
    instance: {
      id: instanceId,
      region: `projects/${project.projectNumber}/regions/${region}`,
      "service-accounts": { [email]: account, default: account },
      zone: `projects/${project.projectNumber}/zones/${region}-1`,
    },
    project: { "numeric-project-id": Number(project.projectNumber), "project-id": project.projectId },
    universe: { "universe-domain": "googleapis.com" },
  };
}

// https://cloud.google.com/compute/docs/instances/verifying-instance-identity
async function createIdToken(runtime: TokenRuntime, email: string, query: URLSearchParams): Promise<string> {
  const audience = query.get("audience") ?? "";
  if (audience === "") throw invalidArgument("non-empty audience parameter required");
  const account = requireAccount(runtime, email);
  return issueIdToken(runtime, account, { audience, includeEmail: query.get("format") === "full", azp: account.uniqueId });
}

/** Returns the same access token for each list of scopes until it is about to expire, as Google does. */
function createTokenSource({ state, now }: Pick<Runtime, "state" | "now">, email: string) {
  const issued = new Map<string, string>();
  return async (query: URLSearchParams): Promise<object> => {
    requireAccount({ state }, email);
    const scopes = [...new Set((query.get("scopes") || CLOUD_PLATFORM).split(","))].sort();
    if (!scopes.every(isScope)) throw invalidArgument("Invalid scopes.");
    const seconds = Math.floor(now() / 1000);
    const remainingSeconds = (token: string): number => (findAccessToken(state, token)?.expires ?? 0) - seconds;
    const cachedToken = issued.get(scopes.join()) ?? "";
    const token =
      remainingSeconds(cachedToken) > MIN_REMAINING_SECONDS
        ? cachedToken
        : issueAccessToken(state, { email, scopes, expires: seconds + 3600 });
    issued.set(scopes.join(), token);
    return { access_token: token, expires_in: remainingSeconds(token), token_type: "Bearer" };
  };
}

function requireAccount({ state }: Pick<Runtime, "state">, email: string): ServiceAccount {
  const account = state.serviceAccounts.get(email);
  if (!account) throw new ApiError("NOT_FOUND", `Service account ${email} does not exist.`);
  if (account.disabled) throw new ApiError("PERMISSION_DENIED", `Service account ${email} is disabled.`);
  return account;
}

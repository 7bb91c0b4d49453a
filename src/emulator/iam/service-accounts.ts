import { createUniqueId } from "../oauth2/users.ts";
import { ApiError, invalidArgument } from "../server/errors.ts";
import { createKeyCertificate } from "../oauth2/key-certificate.ts";
import { createKeyPair, type KeyPair } from "../oauth2/key-pair.ts";
import type { Binding, Policy, ServiceAccount, ServiceAccountKey } from "../state/resources.ts";
import type { State } from "../state/state.ts";
import { canonicalName } from "./resource-names.ts";

/** A service account key file, in Google's spelling and order: https://cloud.google.com/iam/docs/keys-create-delete */
export interface KeyFile {
  readonly type: "service_account";
  readonly project_id: string;
  readonly private_key_id: string;
  /** PKCS #8, PEM. */
  readonly private_key: string;
  readonly client_email: string;
  readonly client_id: string;
  readonly auth_uri: string;
  readonly token_uri: string;
  readonly auth_provider_x509_cert_url: string;
  readonly client_x509_cert_url: string;
  readonly universe_domain: string;
}

interface NewAccount {
  readonly projectId: string;
  readonly accountId: string;
  readonly displayName?: string;
  readonly description?: string;
}

/** The end of a user-created key's validity, which Google writes like this. */
const NEVER_EXPIRES = "9999-12-31T23:59:59Z";

/** Creates a service account. Throws ApiError INVALID_ARGUMENT for an id that Google refuses, ALREADY_EXISTS if it is taken. */
export function createServiceAccount(state: State, { projectId, accountId, displayName, description }: NewAccount): ServiceAccount {
  if (accountId.length < 6 || accountId.length > 30) {
    throw invalidArgument(`The account ID "${accountId}" does not have a length between 6 and 30.`);
  }
  if (!/^[a-z]([-a-z0-9]*[a-z0-9])$/.test(accountId)) {
    throw invalidArgument(
      `The account ID "${accountId}" must start with a lowercase letter and contain only lowercase letters, digits, and hyphens.`,
    );
  }
  const email = `${accountId}@${projectId}.iam.gserviceaccount.com`;
  if (state.serviceAccounts.get(email))
    throw new ApiError("ALREADY_EXISTS", `Service account ${accountId} already exists within project projects/${projectId}.`);
  const account: ServiceAccount = {
    email,
    projectId,
    uniqueId: createUniqueId(),
    ...(displayName && { displayName }),
    ...(description && { description }),
  };
  state.serviceAccounts.set(email, account);
  return account;
}

/** Finds an account by email address or unique id, in a project given by id or number, or in all projects for `-`. */
export function findServiceAccount(state: State, project: string, emailOrId: string): ServiceAccount | undefined {
  const account =
    state.serviceAccounts.get(emailOrId.toLowerCase()) ?? state.serviceAccounts.list().find(({ uniqueId }) => uniqueId === emailOrId);
  return account && (project === "-" || canonicalName(state, `projects/${project}`) === `projects/${account.projectId}`)
    ? account
    : undefined;
}

/** Deletes an account with its keys, access tokens and policy. Policies that name it keep it as a deleted member. */
export function deleteServiceAccount(state: State, { email, projectId, uniqueId }: ServiceAccount): void {
  const [member, deleted] = [`serviceAccount:${email}`, `deleted:serviceAccount:${email}?uid=${uniqueId}`];
  state.transaction(() => {
    for (const key of state.keys.keys(`${email}/`)) state.keys.delete(key);
    for (const token of state.accessTokens.keys()) if (state.accessTokens.get(token)?.email === email) state.accessTokens.delete(token);
    state.policies.delete(`projects/${projectId}/serviceAccounts/${email}`);
    for (const resource of state.policies.keys()) {
      const policy = state.policies.get(resource);
      if (policy && JSON.stringify(policy).includes(JSON.stringify(member)))
        state.policies.set(resource, replaceMember(policy, member, deleted));
    }
    state.serviceAccounts.delete(email);
  });
}

function replaceMember(policy: Policy, member: string, other: string): Policy {
  const replace = (bindings: readonly Binding[]): Binding[] =>
    bindings.map((binding) => ({ ...binding, members: binding.members.map((each) => (each === member ? other : each)).sort() }));
  const superseded = policy.superseded?.map((earlier) => ({ ...earlier, bindings: replace(earlier.bindings) }));
  return { ...policy, bindings: replace(policy.bindings), ...(superseded && { superseded }) };
}

/** Creates a key for an account, from the pair `given` or a new one. Only the returned file has the private key. `now` is in milliseconds. */
export async function createKey(
  state: State,
  { email, projectId, uniqueId }: ServiceAccount,
  now: number,
  given?: KeyPair,
): Promise<{ key: ServiceAccountKey; file: KeyFile }> {
  const pair = given ?? (await createKeyPair());
  const key: ServiceAccountKey = {
    keyId: pair.keyId,
    email,
    certificate: createKeyCertificate(pair, uniqueId, now, Date.parse(NEVER_EXPIRES)),
    validAfterTime: new Date(now).toISOString().replace(/\.\d+/, ""),
    validBeforeTime: NEVER_EXPIRES,
  };
  // The account can have been deleted while the key was being generated.
  if (!state.serviceAccounts.get(email)) throw new ApiError("NOT_FOUND", "Unknown service account");
  state.keys.set(`${email}/${key.keyId}`, key);
  const file: KeyFile = {
    type: "service_account",
    project_id: projectId,
    private_key_id: key.keyId,
    private_key: pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    client_email: email,
    client_id: uniqueId,
    auth_uri: "https://accounts.google.com/o/oauth2/auth",
    token_uri: "https://oauth2.googleapis.com/token",
    auth_provider_x509_cert_url: "https://www.googleapis.com/oauth2/v1/certs",
    client_x509_cert_url: `https://www.googleapis.com/robot/v1/metadata/x509/${encodeURIComponent(email)}`,
    universe_domain: "googleapis.com",
  };
  return { key, file };
}

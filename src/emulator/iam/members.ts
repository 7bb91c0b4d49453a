import type { Identity } from "./principal.ts";
import { invalidArgument } from "../server/errors.ts";
import type { State } from "../state/state.ts";

const PUBLIC_MEMBERS = ["allUsers", "allAuthenticatedUsers"];
const PREFIXES = ["user", "serviceAccount", "group", "domain", "projectOwner", "projectEditor", "projectViewer"];
const DELETED = /^deleted:(user|serviceAccount|group):[^?\s]+\?uid=\d+$|^deleted:principal:\/\/\S+$/;
const FEDERATED =
  /^principal(?:Set)?:\/\/iam\.googleapis\.com\/projects\/(\d+)\/locations\/global\/workloadIdentityPools\/([a-z0-9-]+)\/(.+)$/;

/**
 * Throws ApiError INVALID_ARGUMENT for a member that a policy can't contain: without a type, or a service account or pool that doesn't
 * exist. https://cloud.google.com/iam/docs/principal-identifiers
 */
export function checkMember(state: State, member: string): void {
  if (PUBLIC_MEMBERS.includes(member) || DELETED.test(member)) return;
  if (/^principal(Set)?:/.test(member)) return checkFederated(state, member);
  const [, prefix = "", name = ""] = /^(\w+):(.+)$/.exec(member) ?? [];
  if (!PREFIXES.includes(prefix)) {
    throw invalidArgument(`The member ${member} is of an unknown type. Please set a valid type prefix for the member.`);
  }
  if (prefix === "user" && !/^[^@\s]+@[^@\s]+$/.test(name)) throw invalidArgument(`User ${name} does not exist.`);
  if (prefix === "serviceAccount" && !state.serviceAccounts.get(name.toLowerCase()) && !isServiceAgent(state, name)) {
    throw invalidArgument(`Service account ${name} does not exist.`);
  }
}

// Unlike Cloud Run: groups have no members.
/** Whether a policy's member includes a caller; `principal` is undefined for a caller without a credential. `deleted:` members include no one. */
export function matchesMember(member: string, principal: Identity | undefined): boolean {
  if (member === "allUsers") return true;
  if (!principal) return false;
  // Federated identities aren't Google's: https://cloud.google.com/iam/docs/principals-overview#all-authenticated-users
  if (member === "allAuthenticatedUsers") return !principal.member.startsWith("principal:");
  if (member.startsWith("domain:"))
    return principal.member.startsWith("user:") && principal.email.endsWith(`@${member.slice("domain:".length)}`);
  return member === principal.member || (principal.principalSets ?? []).includes(member);
}

// Unlike Cloud Run: identity federation has workload identity pools, but no workforce pools.
function checkFederated(state: State, member: string): void {
  const [, number, id, selector = ""] = FEDERATED.exec(member) ?? [];
  const isWellFormed = member.startsWith("principal:")
    ? /^subject\/./.test(selector)
    : /^(\*$|group\/.|attribute\.[a-z0-9_]+\/.)/.test(selector);
  if (number === undefined || !isWellFormed) throw invalidArgument(`Invalid principal ${member}.`);
  if (!state.workloadIdentityPools.list().some((pool) => pool.projectNumber === number && pool.id === id)) {
    throw invalidArgument(
      `Identity Pool does not exist (projects/${number}/locations/global/workloadIdentityPools/${id}). Please check that you specified a valid resource name as returned in the \`name\` attribute in the configuration API.`,
    );
  }
}

// Unlike Cloud Run: a project's Google-managed service agents always exist, even if their API isn't in use.
function isServiceAgent(state: State, email: string): boolean {
  const number = /^(?:service-)?(\d+)(?:-compute)?@[\w.-]+\.gserviceaccount\.com$/.exec(email)?.[1];
  return number !== undefined && state.projects.list().some(({ projectNumber }) => projectNumber === number);
}

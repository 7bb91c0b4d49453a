import { createHash } from "node:crypto";
import type { Provider } from "./pipeline.ts";

/** A system whose tokens are another's word for a workload. */
export type Forge = "github" | "gitlab";

/** Where each has the issuer of its tokens, on the server that everybody uses. */
const ISSUERS = { github: "https://token.actions.githubusercontent.com", gitlab: "https://gitlab.com" } as const;

/** The issuer of a forge's tokens: its own, or the one of a server elsewhere. */
export function issuerOf(forge: Forge, host: string | undefined): string {
  const isUsual = host === undefined || host === `${forge}.com`;
  // https://docs.github.com/enterprise-server/actions/reference/security/oidc
  return isUsual ? ISSUERS[forge] : `https://${host}${forge === "github" ? "/_services/token" : ""}`;
}

/**
 * The provider of a repository's branch, in a pool for its issuer alone: two issuers in one pool could each speak for repositories of the other. The
 * names are the same at each call; Google allows 32 characters.
 */
export function providerFor(forge: Forge, issuer: string, repository: string, branch: string): Provider {
  const pool = `cloudrun-oauth-${forge}${issuer === ISSUERS[forge] ? "" : `-${hash(issuer)}`}`;
  const name = repository
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 18);
  return { pool, id: `${forge}-${name}-${hash(`${issuer} ${repository} ${branch}`)}`, issuer };
}

/** The account of a service for one of its parts, by its e-mail address. An account's ID has at most 30 characters. */
export function accountFor(project: string, service: string, part: "deployer" | "caller"): string {
  const name = `${service}-${part}`;
  return emailOf(project, name.length <= 30 ? name : `${service.slice(0, 22 - part.length)}-${hash(service)}-${part}`);
}

/** The e-mail address of an account of the project; a domain-scoped project's has its domain behind. */
export function emailOf(project: string, account: string): string {
  return account.includes("@") ? account : `${account}@${project.split(":").toReversed().join(".")}.iam.gserviceaccount.com`;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 6);
}

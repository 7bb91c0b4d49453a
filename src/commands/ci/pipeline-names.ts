import { createHash } from "node:crypto";
import { resolveAccountEmail } from "../../cloud/accounts.ts";
import type { Provider } from "./pipeline.ts";

/** A system that issues ID tokens for its own workloads. */
export type Forge = "github" | "gitlab";

const PUBLIC_ISSUERS = { github: "https://token.actions.githubusercontent.com", gitlab: "https://gitlab.com" } as const;

/** The issuer of a forge's tokens: the public server's, or a self-hosted server's. */
export function issuerOf(forge: Forge, host: string | undefined): string {
  const isPublicServer = host === undefined || host === `${forge}.com`;
  // https://docs.github.com/enterprise-server/actions/reference/security/oidc
  return isPublicServer ? PUBLIC_ISSUERS[forge] : `https://${host}${forge === "github" ? "/_services/token" : ""}`;
}

/**
 * The provider of a repository's branch, in its issuer's own pool: in a shared pool, each issuer could issue tokens for the repositories of the
 * other. The same input always gives the same names, which have at most 32 characters, as Google requires.
 */
export function providerFor(forge: Forge, issuer: string, repository: string, branch: string): Provider {
  const pool = `cloudrun-oauth-${forge}${issuer === PUBLIC_ISSUERS[forge] ? "" : `-${hash(issuer)}`}`;
  const name = repository
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 18);
  return { pool, id: `${forge}-${name}-${hash(`${issuer} ${repository} ${branch}`)}`, issuer };
}

/** The email address of a service's account for a job. The ID of an account has at most 30 characters. */
export function accountFor(project: string, service: string, job: "deployer" | "caller"): string {
  const name = `${service}-${job}`;
  return resolveAccountEmail(name.length <= 30 ? name : `${service.slice(0, 22 - job.length)}-${hash(service)}-${job}`, project);
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 6);
}

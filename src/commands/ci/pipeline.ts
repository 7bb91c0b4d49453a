/** The systems that a pipeline is written for, by the word that the user types. */
export type System = "github" | "gitlab" | "cloudbuild";

/** All that a pipeline says. */
export interface Pipeline {
  readonly project: string;
  /** The project's number, or a word in its place where it is not known yet. */
  readonly number: string;
  readonly region: string;
  readonly service: string;
  /** Where the repository is: `OWNER/NAME`, on GitLab with all groups. Cloud Build needs none. */
  readonly repository: string | undefined;
  readonly branch: string;
  /** The folder with the Dockerfile, relative to the repository's root, with slashes. */
  readonly folder: string;
  /** E-mail address of the account that deploys. */
  readonly deployer: string;
  /** E-mail address of the account that calls the service. */
  readonly caller: string;
  /** E-mail address of the account that the service runs as, where one is said. */
  readonly serviceAccount: string | undefined;
  /** Who vouches for the workloads of the system; undefined where Google itself does. */
  readonly provider: Provider | undefined;
}

/** A provider of a workload identity pool. */
export interface Provider {
  readonly pool: string;
  readonly id: string;
  /** The URL of the issuer of the system's tokens. */
  readonly issuer: string;
}

/** The full name of a provider, as the Security Token Service wants it. */
export function providerName({ number }: Pipeline, { pool, id }: Provider): string {
  return `${poolName(number, pool)}/providers/${id}`;
}

/** The full name of a pool, which has the project's number. */
export function poolName(number: string, pool: string): string {
  return `projects/${number}/locations/global/workloadIdentityPools/${pool}`;
}

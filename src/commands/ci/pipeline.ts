/** The systems that a pipeline can be written for, as the command line names them. */
export type System = "github" | "gitlab" | "cloudbuild";

export interface Pipeline {
  readonly project: string;
  /** The project's number, or a placeholder if it isn't known yet. */
  readonly number: string;
  readonly region: string;
  readonly service: string;
  /** The repository: `OWNER/NAME`, on GitLab with all groups. Undefined for Cloud Build. */
  readonly repository: string | undefined;
  readonly branch: string;
  /** The folder with the Dockerfile, relative to the repository's root, with slashes. */
  readonly folder: string;
  /** Email address of the account that deploys. */
  readonly deployer: string;
  readonly caller: string;
  /** Email address of the account that the service runs as, if it isn't the default one. */
  readonly serviceAccount: string | undefined;
  /** The identity provider of the system's workloads; undefined if it is Google itself. */
  readonly provider: Provider | undefined;
}

export interface Provider {
  readonly pool: string;
  readonly id: string;
  /** The URL of the issuer of its tokens. */
  readonly issuer: string;
}

/** The full name of a provider, as the Security Token Service expects it. */
export function providerName({ number }: Pipeline, { pool, id }: Provider): string {
  return `${poolName(number, pool)}/providers/${id}`;
}

/** The full name of a pool, which contains the project's number. */
export function poolName(number: string, pool: string): string {
  return `projects/${number}/locations/global/workloadIdentityPools/${pool}`;
}

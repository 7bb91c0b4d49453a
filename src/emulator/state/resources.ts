import type { Login, User } from "../oauth2/users.ts";
import type { Secret, SecretVersion } from "../secrets/secret.ts";
import type { KnativeRevision, KnativeService } from "../run/knative.ts";

/** The emulator's state, by collection. Google's field names are unchanged. */
export interface ResourceTypes {
  /** By projectId. */
  projects: Project;
  /** Enabled APIs, by `PROJECT/run.googleapis.com`. */
  apis: { readonly name: string; readonly enabledAt: string };
  /** By email address. */
  serviceAccounts: ServiceAccount;
  /** By `EMAIL/KEY_ID`. */
  keys: ServiceAccountKey;
  /** People, by email address. */
  users: User;
  /** People's logins, by the SHA-256 of the refresh token in hex: the token itself isn't stored. */
  logins: Login;
  /** Access tokens, by the SHA-256 of the token in hex: the token itself isn't stored. */
  accessTokens: AccessToken;
  /** By the full name of the resource: `projects/P`, `projects/P/locations/R/services/S`, `projects/P/serviceAccounts/E`. */
  policies: Policy;
  /** By `PROJECT/constraints/NAME`. */
  orgPolicies: OrgPolicy;
  /** Cloud Storage buckets, by name. */
  buckets: Bucket;
  /** Cloud Storage objects, by `BUCKET/NAME`. */
  objects: StorageObject;
  /** Long-running operations in Cloud Run's v2 API, by `PROJECT/REGION/ID`. */
  operations: RunOperation;
  /** Unfinished resumable uploads, by upload id. */
  uploads: Upload;
  /** Cloud Build builds, by `PROJECT/ID`; Google's Build message. */
  builds: Build;
  /** Artifact Registry repositories, by `PROJECT/LOCATION/REPOSITORY`. */
  repositories: Repository;
  /** Built images, by digest (`sha256:…`). */
  images: Image;
  /** Image references without a digest (`gcr.io/P/NAME:latest`), to the digest. */
  tags: { readonly reference: string; readonly digest: string };
  /** Secret Manager's secrets, by `PROJECT/ID`; Google's Secret message. */
  secrets: Secret;
  /** Secret versions, by `PROJECT/ID/NUMBER`, the number in nine digits. */
  secretVersions: SecretVersion;
  /** Knative services as the v1 API returns them, by `PROJECT/REGION/NAME`. */
  services: KnativeService;
  /** Knative revisions as the v1 API returns them, by `PROJECT/REGION/NAME`. */
  revisions: KnativeRevision;
  /** By `PROJECT/POOL`. */
  workloadIdentityPools: WorkloadIdentityPool;
  /** By `PROJECT/POOL/PROVIDER`. */
  workloadIdentityProviders: WorkloadIdentityProvider;
  /** Single values without a collection, by name. */
  settings: unknown;
}

/** A change to a service, or a deletion. */
export interface RunOperation {
  readonly id: string;
  /** Increases with each operation in a region. */
  readonly number: number;
  readonly service?: string;
  readonly uid?: string;
  /** The service's generation after the change. */
  readonly generation?: number;
  /** The deleted resource as the API last returned it, with its `@type`. */
  readonly deleted?: Readonly<Record<string, unknown>>;
}

export interface Project {
  readonly projectId: string;
  /** Decimal digits, as Google sends them. */
  readonly projectNumber: string;
  readonly name: string;
  readonly createTime: string;
  /** True if no billing account is linked to the project. */
  readonly unbilled?: true;
  /** True after the project's deletion, while it can be restored. */
  readonly deleted?: true;
}

export interface ServiceAccount {
  readonly email: string;
  readonly projectId: string;
  /** The 21 digits that an ID token carries as `sub`. */
  readonly uniqueId: string;
  readonly displayName?: string;
  readonly description?: string;
  readonly disabled?: boolean;
}

export interface ServiceAccountKey {
  readonly keyId: string;
  readonly email: string;
  /** X.509 certificate, PEM, as `certs` endpoints and key descriptions return it. */
  readonly certificate: string;
  readonly validAfterTime: string;
  readonly validBeforeTime: string;
  readonly disabled?: boolean;
}

export interface AccessToken {
  /** The account's or person's address; for a federated token, its `principal://`. */
  readonly email: string;
  /** What a federated token says of its principal. */
  readonly federated?: { readonly pool: string; readonly principalSets: readonly string[] };
  readonly scopes: readonly string[];
  /** Seconds since the epoch. */
  readonly expires: number;
}

export interface Binding {
  readonly role: string;
  readonly members: readonly string[];
  /** Common Expression Language: https://cloud.google.com/iam/docs/conditions-overview */
  readonly condition?: { readonly expression: string; readonly title: string; readonly description?: string };
}

export interface Policy {
  readonly version: number;
  readonly bindings: readonly Binding[];
  readonly etag: string;
  /**
   * Earlier bindings, the earliest first, each active until a time in milliseconds since the epoch: the change that ended them is still
   * propagating.
   */
  readonly superseded?: readonly { readonly bindings: readonly Binding[]; readonly until: number }[];
}

export interface OrgPolicy {
  /** `constraints/iam.disableServiceAccountKeyCreation` */
  readonly constraint: string;
  readonly etag: string;
  readonly updateTime: string;
  readonly booleanPolicy?: { readonly enforced?: boolean };
  readonly listPolicy?: {
    readonly allowedValues?: readonly string[];
    readonly deniedValues?: readonly string[];
    readonly allValues?: string;
  };
  readonly restoreDefault?: object;
}

/** Google's WorkloadIdentityPool message, except for its name. */
export interface WorkloadIdentityPool {
  readonly projectNumber: string;
  readonly id: string;
  readonly displayName?: string;
  readonly description?: string;
  readonly disabled?: boolean;
  readonly state: "ACTIVE" | "DELETED";
  readonly expireTime?: string;
}

/** Google's WorkloadIdentityPoolProvider message of an OpenID Connect provider, except for its name. */
export interface WorkloadIdentityProvider extends WorkloadIdentityPool {
  readonly pool: string;
  readonly attributeMapping: Readonly<Record<string, string>>;
  readonly attributeCondition?: string;
  readonly oidc: { readonly issuerUri: string; readonly allowedAudiences?: readonly string[]; readonly jwksJson?: string };
}

export interface Bucket {
  readonly name: string;
  readonly project: string;
  readonly projectNumber: string;
  readonly location: string;
  readonly timeCreated: string;
}

export interface StorageObject {
  readonly bucket: string;
  readonly name: string;
  readonly generation: string;
  readonly size: number;
  readonly contentType: string;
  /** Base64, as `md5Hash` and `crc32c` go over the wire. */
  readonly md5Hash: string;
  readonly crc32c: string;
  readonly timeCreated: string;
  /** The file under `objects/` in the data directory that contains the bytes. */
  readonly file: string;
}

export interface Upload {
  readonly id: string;
  readonly bucket: string;
  readonly name: string;
  readonly contentType: string;
  readonly file: string;
  readonly timeCreated: string;
  /** The object's generation once the upload is complete. */
  readonly generation?: string;
}

export type Build = Readonly<Record<string, unknown>> & { readonly id: string; readonly projectId: string; readonly status: string };

export interface Repository {
  readonly name: string;
  readonly format: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly description?: string;
  readonly createTime: string;
}

/** A built image; `images/DIGEST/` in the data directory has what the engine needs to start it. */
export interface Image {
  readonly digest: string;
  /** The engine that built the image, the only one that can run it. */
  readonly engine: string;
  readonly config: ImageConfig;
  readonly createTime: string;
}

/** The container's configuration from the Dockerfile, in the spelling of the OCI image specification. */
export interface ImageConfig {
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly WorkingDir: string;
  readonly User: string;
}

export interface Secret {
  readonly name: string;
  readonly replication: Readonly<Record<string, unknown>>;
  readonly createTime: string;
  readonly etag: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Google's SecretVersion message, plus `number` and `file`. */
export interface SecretVersion {
  readonly name: string;
  readonly number: number;
  readonly state: "ENABLED" | "DISABLED" | "DESTROYED";
  readonly createTime: string;
  readonly destroyTime?: string;
  readonly etag: string;
  readonly clientSpecifiedPayloadChecksum: boolean;
  /** The file under `keys/secrets/` in the data directory with the version's bytes, until they are destroyed. */
  readonly file?: string;
}

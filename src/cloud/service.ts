export interface Service extends Instances {
  readonly service: string;
  readonly project: string;
  readonly region: string;
  readonly url: string;
  /** All of its URLs, including those of tags. */
  readonly urls: readonly string[];
  readonly revision: string | null;
  readonly latest_created_revision: string | null;
  /** RFC 3339. */
  readonly created: string | null;
  readonly deployed: string | null;
  readonly last_modifier: string | null;
  readonly console_url: string;
  readonly env: readonly Omit<Variable, "value">[];
  readonly labels: Readonly<Record<string, string>>;
  readonly ingress: string;
  readonly custom_audiences: readonly string[];
  /** True if the service's run.app URLs respond with 404. */
  readonly default_url_disabled: boolean;
  readonly invoker_iam_disabled: boolean;
  /** True if Identity-Aware Proxy is in front of the service. */
  readonly iap_enabled: boolean;
  readonly traffic: readonly {
    readonly revision: string;
    readonly percent: number;
    /** True if the target follows the latest ready revision. */
    readonly latest: boolean;
    readonly tag: string | null;
    readonly url: string | null;
  }[];
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string | null;
    readonly message: string | null;
  }[];
}

/** The settings of a revision's instances. */
export interface Instances {
  readonly image: string | null;
  readonly service_account: string | null;
  readonly port: number | null;
  readonly cpu: string | null;
  readonly memory: string | null;
  readonly min_instances: number;
  /** Null if Cloud Run decides. */
  readonly max_instances: number | null;
  readonly concurrency: number | null;
  /** The request timeout in seconds. */
  readonly timeout: number | null;
  /** True if an instance also has its CPU between requests. */
  readonly cpu_always_allocated: boolean;
}

export interface Revision extends Instances {
  readonly revision: string;
  readonly created: string;
  readonly creator: string | null;
  /** Null while it isn't known. */
  readonly ready: boolean | null;
  readonly reason: string | null;
  readonly message: string | null;
  readonly image_digest: string | null;
  /** The revision's part of the traffic to the service's own URL. */
  readonly percent: number;
  readonly tags: readonly string[];
}

export interface Variable {
  readonly name: string;
  /** Null if it comes from a secret. */
  readonly value: string | null;
  /** The secret that it comes from; its value is never read. */
  readonly secret: { readonly name: string; readonly version: string } | null;
}

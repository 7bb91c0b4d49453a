/** A service, in one shape whichever way it was read. */
export interface Service extends Instances {
  readonly service: string;
  readonly project: string;
  readonly region: string;
  readonly url: string;
  /** All of its URLs, the tags' own besides. */
  readonly urls: readonly string[];
  /** The latest revision that is ready. */
  readonly revision: string | null;
  readonly latest_created_revision: string | null;
  /** When it was made; RFC 3339. */
  readonly created: string | null;
  /** When its latest revision became ready, or did not. */
  readonly deployed: string | null;
  /** Who changed it last. */
  readonly last_modifier: string | null;
  /** Its page in Google's console. */
  readonly console_url: string;
  /** Its variables, without their values. */
  readonly env: readonly Omit<Variable, "value">[];
  readonly labels: Readonly<Record<string, string>>;
  readonly ingress: string;
  readonly custom_audiences: readonly string[];
  /** True where the service's run.app URLs are answered 404. */
  readonly default_url_disabled: boolean;
  /** True where nobody is asked who he is. */
  readonly invoker_iam_disabled: boolean;
  /** True where Identity-Aware Proxy stands before the service. */
  readonly iap_enabled: boolean;
  readonly traffic: readonly {
    readonly revision: string;
    readonly percent: number;
    /** True where it follows the latest revision that is ready. */
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

/** What a revision's instances are, in one shape for a revision and for a service's next one. */
export interface Instances {
  readonly image: string | null;
  readonly service_account: string | null;
  readonly port: number | null;
  readonly cpu: string | null;
  readonly memory: string | null;
  readonly min_instances: number;
  /** Null where Cloud Run decides. */
  readonly max_instances: number | null;
  /** Requests that an instance takes at the same time. */
  readonly concurrency: number | null;
  /** Seconds that a request may take. */
  readonly timeout: number | null;
  /** True where an instance has its processor between requests too. */
  readonly cpu_always_allocated: boolean;
}

/** A revision, in one shape whichever way it was read. */
export interface Revision extends Instances {
  readonly revision: string;
  readonly created: string;
  readonly creator: string | null;
  /** Null while that is not known yet. */
  readonly ready: boolean | null;
  /** Why it is not ready. */
  readonly reason: string | null;
  readonly message: string | null;
  /** With its digest. */
  readonly image_digest: string | null;
  /** Of the traffic that goes to the service's own URL. */
  readonly percent: number;
  readonly tags: readonly string[];
}

/** An environment variable of a service's container. */
export interface Variable {
  readonly name: string;
  /** Null where it comes from a secret. */
  readonly value: string | null;
  /** Where it comes from, which is never resolved. */
  readonly secret: { readonly name: string; readonly version: string } | null;
}

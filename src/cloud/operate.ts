import type { ServiceName } from "./names.ts";

export interface ListOptions {
  readonly project: string;
  /** Every region where it is not said. */
  readonly region?: string;
}

/** What stands for the latest revision that is ready, whichever that is. No revision has a name in capitals. */
export const LATEST = "LATEST";

export interface TrafficOptions extends ServiceName {
  /** Who gets how much, which adds up to 100; all others get nothing. Traffic stays as it is where the list is empty. */
  readonly to: readonly {
    /** A revision's name, or LATEST. */
    readonly revision: string;
    /** A whole number. */
    readonly percent: number;
  }[];
  /** Tags and the revisions that they are to stand for. */
  readonly setTags?: Readonly<Record<string, string>>;
  readonly removeTags?: readonly string[];
}

export interface EnvironmentOptions extends ServiceName {
  readonly set?: Readonly<Record<string, string>>;
  readonly unset?: readonly string[];
}

/** An environment variable of a service's container. */
export interface Variable {
  readonly name: string;
  /** Null where it comes from a secret. */
  readonly value: string | null;
  /** Where it comes from, which is never resolved. */
  readonly secret: { readonly name: string; readonly version: string } | null;
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

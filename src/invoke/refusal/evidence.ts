import type { Policy } from "../../cloud/cloud.ts";
import type { Service } from "../../cloud/service.ts";
import type { ServiceName } from "../../cloud/names.ts";

/** What the control plane says about the called service, as far as the caller has access to it. */
export interface Evidence {
  readonly service?: Service;
  readonly policy?: Policy;
  /** Set if the service doesn't exist. */
  readonly missing?: ServiceName;
  /** Set if the service account can't get tokens anymore. */
  readonly account?: "deleted" | "disabled";
  /** Whether the token is signed by Google. */
  readonly isSigned?: boolean;
  /** True if the control plane itself refused because the project is in a VPC Service Controls perimeter. */
  readonly isOutsidePerimeter?: boolean;
}

/** What was called, with which credential. */
interface EvidenceSubject {
  readonly url: URL;
  readonly token?: string | undefined;
  /** The caller: `serviceAccount:…`. */
  readonly member?: string | undefined;
}

/** What to look up besides the service; each costs a request. */
interface EvidenceWanted {
  readonly policy: boolean;
  /** The token's signature and its account. */
  readonly signer: boolean;
}

/** Looks up evidence. What can't be read is left out; after a few seconds it gives up. */
export type EvidenceLookup = (subject: EvidenceSubject, wanted: EvidenceWanted) => Promise<Evidence>;

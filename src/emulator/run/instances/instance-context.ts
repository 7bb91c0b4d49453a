import type { StartOptions } from "../../engine/engine.ts";

/** What an instance finds around it, besides its own revision, from before it starts until it is gone. */
export interface Surroundings {
  /** Environment variables; those that the revision has itself win. */
  readonly environment: Readonly<Record<string, string>>;
  /** Takes each line that the instance writes. */
  readonly log: StartOptions["log"];
  /** Takes what Cloud Run itself has to say about the instance. */
  readonly say: (severity: "INFO" | "WARNING" | "ERROR", text: string) => void;
  /** The instance is gone, or never came to be. */
  close(): void;
}

/** Prepares for an instance of a revision that is about to start. */
export type Surround = (revisionKey: string) => Promise<Surroundings>;

import type { StartOptions } from "../../engine/engine.ts";

/** An instance's environment besides its revision, from before it starts until it is gone. */
export interface InstanceContext {
  /** Environment variables; the revision's own take precedence. */
  readonly environment: Readonly<Record<string, string>>;
  /** Receives each line that the instance writes. */
  readonly log: StartOptions["log"];
  /** Receives Cloud Run's own messages about the instance. */
  readonly logSystem: (severity: "INFO" | "WARNING" | "ERROR", text: string) => void;
  /** Call it when the instance is gone or failed to start. */
  close(): void;
}

/** Creates the context of an instance that is about to start. */
export type OpenInstanceContext = (revisionKey: string) => Promise<InstanceContext>;

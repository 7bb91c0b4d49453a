import type { EngineChoice } from "./engine/choose-engine.ts";
import type { EmulatorStatus } from "./environment/emulator-status.ts";

export interface EmulatorOptions {
  /** Where the state is stored; created if missing. Only one emulator at a time can use it. */
  readonly directory: string;
  /** 0 chooses a free port. */
  readonly port: number;
  /** Default: `cloudrun-local`. */
  readonly project?: string;
  /** The region that `environment` sets for clients; services can be in any region. */
  readonly region?: string;
  /** What builds and runs services. Default: a container engine if one works, otherwise local processes. */
  readonly engine?: EngineChoice;
  /**
   * The emulator's own environment: its outgoing proxy, additional certificate authorities, and the Python that runs services. The test
   * suite sets CLOUDRUN_OAUTH_RECORD: see `openRecorder`.
   */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Receives each line of the emulator's own log. */
  readonly log?: (line: string) => void;
  /** Milliseconds until a policy change takes effect. Default: 0. */
  readonly iamPropagation?: number;
}

export interface Emulator {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  status(): EmulatorStatus;
  /** Creates the key file that `CREDS` names in the status's environment, if it doesn't exist: whatever uses the environment needs it. */
  createCallerKey(): Promise<void>;
  /** Stops the services and closes the port; the directory stays. */
  close(): Promise<void>;
  /** Closes the emulator, and deletes its directory and what a container engine stores for it. */
  remove(): Promise<void>;
}

import { existsSync } from "node:fs";
import type { EngineChoice } from "./engine/choose-engine.ts";
import { environment } from "./environment/environment.ts";
import { journalFile } from "./state/journal.ts";
import { createKeyPair } from "./oauth2/key-pair.ts";
import type { Running } from "./environment/pid-file.ts";

export { NoContainerEngine } from "./engine/no-container-engine.ts";
export { findContainerProgram } from "./engine/container/program.ts";
export type { EngineChoice } from "./engine/choose-engine.ts";
export { emulatorHome } from "./environment/data-dir.ts";
export { JournalError } from "./state/journal.ts";
export { environmentOfProgram } from "./environment/node-preload.ts";
export { describeKeyPair } from "./oauth2/key-pair.ts";
export {
  claimHome,
  fetchStatus,
  findRunning,
  hasEnded,
  publish,
  releaseHome,
  retract,
  terminate,
  type Running,
} from "./environment/pid-file.ts";

export interface EmulatorOptions {
  /** Where the state is kept; made where it is missing. Only one emulator at a time may have it. */
  readonly directory: string;
  /** 0 takes a port that is free. */
  readonly port: number;
  /** `cloudrun-local` where it is not said. */
  readonly project?: string;
  /** What `environment` tells clients; services may be in any region. */
  readonly region?: string;
  /** What builds and runs services: a container engine where one works, else processes of this machine, unless it is said. */
  readonly engine?: EngineChoice;
  /** The emulator's own environment: the way out through a proxy, further certificate authorities, and which Python runs services. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One line of the emulator's own log. */
  readonly log?: (line: string) => void;
  /** A file that gets a line for every request to a Google API: see `openRecorder`. */
  readonly record?: string;
  /** Milliseconds until a change of a policy takes effect, as at Google; none where it is not said. */
  readonly iamPropagation?: number;
}

/** A Cloud Run on this machine. */
export interface Emulator {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  status(): Running;
  /** Ends the services and lets go of the port; what is in the directory stays. */
  close(): Promise<void>;
  /** The same, and leaves nothing: neither the directory, nor what a container engine has kept for it. */
  remove(): Promise<void>;
}

export async function createEmulator(options: EmulatorOptions): Promise<Emulator> {
  // The keys of a new project's operator and caller are made while the rest is being loaded: a start waits for them longest.
  const firstKeys = existsSync(journalFile(options.directory)) ? [] : [createKeyPair(), createKeyPair()];
  for (const key of firstKeys) key.catch(() => undefined);
  const { openEmulator } = await import("./open-emulator.ts");
  return openEmulator({ ...options, firstKeys });
}

/** The variables that lead programs to a project of a running emulator, as its operator. */
export function environmentOf(
  { url, data_dir, region }: Pick<Running, "url" | "data_dir" | "region">,
  project: string,
): Running["environment"] {
  return environment({ url, directory: data_dir, project, region });
}

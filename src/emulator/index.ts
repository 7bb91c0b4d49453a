import { existsSync } from "node:fs";
import type { Emulator, EmulatorOptions } from "./emulator.ts";
import type { EmulatorStatus } from "./environment/emulator-status.ts";
import { shellEnvironment } from "./environment/variables.ts";
import { createKeyPair } from "./oauth2/key-pair.ts";
import { journalFile } from "./state/journal.ts";

export type { Emulator } from "./emulator.ts";
export { findContainerProgram, NoContainerEngine } from "./engine/container/container-program.ts";
export type { EngineChoice } from "./engine/choose-engine.ts";
export { emulatorHome } from "./environment/files.ts";
export { JournalError } from "./state/journal.ts";
export { nodeProgramEnvironment } from "./environment/node-preload.ts";
export { describeKeyPair } from "./oauth2/key-pair.ts";
export { fetchEmulatorStatus, type EmulatorStatus } from "./environment/emulator-status.ts";
export {
  claimHome,
  findRunningEmulator,
  hasExited,
  publishUrl,
  releaseHome,
  terminateEmulator,
  withdrawUrl,
} from "./environment/pid-file.ts";

/** Starts an emulator in this process. Throws Node's error if the directory or the port can't be used, NoContainerEngine, or JournalError. */
export async function createEmulator(options: EmulatorOptions): Promise<Emulator> {
  // The start waits longest for the key of a new project's operator: it is generated while the other modules load.
  const operatorKey = existsSync(journalFile(options.directory)) ? undefined : createKeyPair();
  operatorKey?.catch(() => undefined);
  const { openEmulator } = await import("./open-emulator.ts");
  return openEmulator({ ...options, operatorKey });
}

/** The environment variables that point programs to a project of a running emulator, as its operator. */
export function projectEnvironment(
  { url, data_dir, region }: Pick<EmulatorStatus, "url" | "data_dir" | "region">,
  project: string,
): EmulatorStatus["environment"] {
  return shellEnvironment({ url, directory: data_dir, project, region });
}

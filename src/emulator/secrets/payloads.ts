import { randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { privateFolder, removeEntries } from "../state/private-folder.ts";
import type { State } from "../state/state.ts";
import { writeFileAtomically } from "../state/atomic-write.ts";

/** Writes a secret's bytes to their own file (0600) instead of the journal; returns the file's name. */
export function writePayload(state: State, payload: Buffer): string {
  const file = randomUUID();
  writeFileAtomically(join(privateFolder(state, "keys", "secrets"), file), payload);
  return file;
}

export function readPayload(state: State, file: string): Buffer {
  return readFileSync(join(privateFolder(state, "keys", "secrets"), file));
}

export function removePayload(state: State, file: string): void {
  rmSync(join(privateFolder(state, "keys", "secrets"), file), { force: true });
}

/** Removes files without a version, which a crash or a reset left. Call it before the first request. */
export function removeOrphanedPayloads(state: State): void {
  const ownedFiles = new Set(state.secretVersions.list().map(({ file }) => file));
  removeEntries(privateFolder(state, "keys", "secrets"), (file) => ownedFiles.has(file));
}

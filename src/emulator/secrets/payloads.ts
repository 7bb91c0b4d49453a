import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { State } from "../state/state.ts";
import { writeFileAtomically } from "../state/atomic-write.ts";

function payloadFolder({ directory }: State): string {
  const path = join(directory, "keys", "secrets");
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

/** Writes a secret's bytes to their own file (0600) instead of the journal; returns the file's name. */
export function writePayload(state: State, payload: Buffer): string {
  const file = randomUUID();
  writeFileAtomically(join(payloadFolder(state), file), payload);
  return file;
}

export function readPayload(state: State, file: string): Buffer {
  return readFileSync(join(payloadFolder(state), file));
}

export function removePayload(state: State, file: string): void {
  rmSync(join(payloadFolder(state), file), { force: true });
}

/** Removes files without a version, which a crash or a reset left. Call it before the first request. */
export function removeOrphanedPayloads(state: State): void {
  const ownedFiles = new Set(state.secretVersions.list().map(({ file }) => file));
  for (const file of readdirSync(payloadFolder(state))) if (!ownedFiles.has(file)) removePayload(state, file);
}

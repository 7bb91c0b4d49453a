import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { State } from "../state/state.ts";
import { writeFileAtomically } from "../state/atomic-write.ts";

function folder({ directory }: State): string {
  const path = join(directory, "keys", "secrets");
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

/** Keeps a secret's bytes in a file of their own (0600), since the journal is no place for them; gives back the file's name. */
export function writePayload(state: State, payload: Buffer): string {
  const file = randomUUID();
  writeFileAtomically(join(folder(state), file), payload);
  return file;
}

export function readPayload(state: State, file: string): Buffer {
  return readFileSync(join(folder(state), file));
}

export function removePayload(state: State, file: string): void {
  rmSync(join(folder(state), file), { force: true });
}

/** Removes the files that a crash or a reset left without a version. To be called before the first request. */
export function sweepPayloads(state: State): void {
  const owned = new Set(state.secretVersions.list().map(({ file }) => file));
  for (const file of readdirSync(folder(state))) if (!owned.has(file)) removePayload(state, file);
}

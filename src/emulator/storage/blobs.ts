import { rmSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { privateFolder, removeEntries } from "../state/private-folder.ts";
import type { State } from "../state/state.ts";
import { createChecksum, type Checksums } from "./checksum.ts";
import { toStorageError } from "./storage-error.ts";

/** Complete bytes in a file under `objects/` in the data directory. They count once the state names the file. */
export interface Blob extends Checksums {
  readonly file: string;
}

export function blobPath(state: State, file: string): string {
  return join(privateFolder(state, "objects"), file);
}

/** Appends a source's bytes to a blob's file, which is created if missing. Bytes that arrived before a failure stay. */
export async function appendBytes(state: State, file: string, source: AsyncIterable<Uint8Array>): Promise<void> {
  await withBlobFile(state, file, "a", async (handle) => {
    for await (const chunk of source) await handle.appendFile(chunk);
  });
}

/** Flushes a blob to disk and computes its checksums; its bytes can come from several requests and several runs of the emulator. */
export async function sealBlob(state: State, file: string): Promise<Blob> {
  const checksum = createChecksum();
  await withBlobFile(state, file, "r", async (handle) => {
    await handle.sync();
    for await (const chunk of handle.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) checksum.add(chunk);
  });
  await withBlobFile(state, ".", "r", (directory) => directory.sync());
  return { file, ...checksum.current() };
}

export function removeBlob(state: State, file: string): void {
  rmSync(blobPath(state, file), { force: true });
}

/** Removes files without an owner, which a crash left. Call it before the first request, since files being written have no owner yet. */
export function removeOrphanedBlobs(state: State): void {
  const ownedFiles = new Set([...state.objects.list(), ...state.uploads.list()].map(({ file }) => file));
  removeEntries(privateFolder(state, "objects"), (file) => ownedFiles.has(file));
}

async function withBlobFile(state: State, file: string, flags: string, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    const handle = await open(blobPath(state, file), flags, 0o600);
    try {
      await work(handle);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw toStorageError(error);
  }
}

import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { State } from "../state/state.ts";
import { createSummer, type Checksums } from "./checksums.ts";
import { storageFailure } from "./storage-error.ts";

/** Bytes that lie whole in a file of `objects/` in the data directory. They count from the moment that the state names the file. */
export interface Blob extends Checksums {
  readonly file: string;
}

export function blobPath(state: State, file: string): string {
  const directory = join(state.directory, "objects");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return join(directory, file);
}

/** Adds a source's bytes to a blob's file, made where it is missing. What arrived before a failure stays. */
export async function appendBytes(state: State, file: string, source: AsyncIterable<Uint8Array>): Promise<void> {
  await withFile(state, file, "a", async (handle) => {
    for await (const chunk of source) await handle.appendFile(chunk);
  });
}

/** Puts a blob's bytes on disk for good, and adds them up: they may have come in several requests, to several runs of the emulator. */
export async function sealBlob(state: State, file: string): Promise<Blob> {
  const summer = createSummer();
  await withFile(state, file, "r", async (handle) => {
    await handle.sync();
    for await (const chunk of handle.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) summer.add(chunk);
  });
  await withFile(state, ".", "r", (directory) => directory.sync());
  return { file, ...summer.sum() };
}

export function removeBlob(state: State, file: string): void {
  rmSync(blobPath(state, file), { force: true });
}

/** Removes the files that a crash left without an owner. To be called before the first request, since what is being written has no owner yet. */
export function sweepBlobs(state: State): void {
  const owned = new Set([...state.objects.list(), ...state.uploads.list()].map(({ file }) => file));
  for (const file of readdirSync(blobPath(state, "."))) if (!owned.has(file)) removeBlob(state, file);
}

async function withFile(state: State, file: string, flags: string, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    const handle = await open(blobPath(state, file), flags, 0o600);
    try {
      await work(handle);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw storageFailure(error);
  }
}

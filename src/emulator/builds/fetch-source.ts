import { mkdir } from "node:fs/promises";
import type { State } from "../state/state.ts";
import { blobPath } from "../storage/blobs.ts";
import { findObject } from "../storage/objects.ts";
import { BuildFailure } from "./build-failure.ts";
import type { StorageSource } from "./build-request.ts";
import { extractZip } from "./extract-zip.ts";

/**
 * Extracts a build's source, a zip archive or a tar archive, gzipped or not, into a folder that it creates. Without a source the folder
 * stays empty. Throws a BuildFailure that says what is wrong with the source.
 */
export async function fetchSource(
  state: State,
  source: StorageSource | undefined,
  folder: string,
  log: (text: string) => void,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (!source) return;
  const { bucket, object: name, generation } = source;
  const uri = `gs://${bucket}/${name}${generation ? `#${generation}` : ""}`;
  log(`Fetching storage object: ${uri}\nCopying ${uri}...\n`);
  try {
    const object = findObject(state, bucket, name, generation);
    const file = blobPath(state, object.file);
    if (name.endsWith(".zip")) await extractZip(file, folder);
    // Strict: an entry that points out of the folder fails the build; by default it would be skipped.
    else await (await import("tar")).extract({ file, cwd: folder, strict: true, preserveOwner: false });
    log(`Operation completed over 1 objects/${(object.size / 1024).toFixed(1)} KiB.\n`);
  } catch (error) {
    throw new BuildFailure("FETCH_SOURCE_FAILED", `failed to fetch storage source ${uri}: ${(error as Error).message}`);
  }
}

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import { join } from "node:path";
import { listSource } from "./source-archive.ts";

/**
 * The SHA-256, in hex, of a source: of the paths, the contents and the executable bits of all that a build uploads. Where and when the files were
 * written makes no difference.
 */
export async function digestSource(directory: string): Promise<string> {
  const digest = createHash("sha256");
  for (const path of await listSource(directory)) digest.update(`${JSON.stringify([path, ...(await describe(join(directory, path)))])}\n`);
  return digest.digest("hex");
}

async function describe(path: string): Promise<[kind: string, content: string]> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return ["link", await readlink(path)];
  if (!found.isFile()) return ["other", ""];
  const content = createHash("sha256");
  for await (const chunk of createReadStream(path)) content.update(chunk as Buffer);
  return [found.mode & 0o100 ? "program" : "file", content.digest("hex")];
}

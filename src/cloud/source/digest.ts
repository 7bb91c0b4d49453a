import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import { join } from "node:path";
import { listSource, sourceUnreadable } from "./files.ts";

/** The SHA-256, in hex, of all paths, contents and executable bits that `archiveSource` packs, on any machine. Throws as `listSource` does. */
export async function digestSource(directory: string): Promise<string> {
  const digest = createHash("sha256");
  for (const path of await listSource(directory)) {
    const described = await describe(join(directory, path)).catch((error: unknown) => {
      throw sourceUnreadable(error);
    });
    digest.update(`${JSON.stringify([path, ...described])}\n`);
  }
  return digest.digest("hex");
}

async function describe(path: string): Promise<[kind: string, content: string]> {
  const stats = await lstat(path);
  if (stats.isSymbolicLink()) return ["link", await readlink(path)];
  if (!stats.isFile()) return ["other", ""];
  const content = createHash("sha256");
  for await (const chunk of createReadStream(path)) content.update(chunk as Buffer);
  return [stats.mode & 0o100 ? "program" : "file", content.digest("hex")];
}

import { createHash } from "node:crypto";
import { create } from "tar";
import { CliError } from "../errors.ts";
import { listSource } from "./source-files.ts";

/** As npm has it for its packages: in 1970, ZIP archives that a build makes of the files could not say when. */
const MODIFIED = new Date("1985-10-26T08:15:00Z");

/**
 * What gcloud would send of a folder, as a gzipped tar, piece by piece: the same bytes for the same source, whoever packs it where and when. Of modes,
 * only whether a file can be executed is kept, as git does. Throws NOT_FOUND where nothing is left of the folder, or something in it cannot be read.
 */
export async function* archiveSource(directory: string): AsyncGenerator<Buffer> {
  yield* pack(directory, await files(directory), true);
}

/** `sha256:…` of what `archiveSource` packs: the same for the same source, with every version of zlib. Throws as that does. */
export async function digestSource(directory: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of pack(directory, await files(directory), false)) hash.update(chunk);
  return `sha256:${hash.digest("hex")}`;
}

async function files(directory: string): Promise<string[]> {
  const found = await listSource(directory).catch((error: unknown) => {
    throw unreadable(error);
  });
  if (!found.every((path) => path.endsWith("/"))) return found;
  throw new CliError("NOT_FOUND", `${directory} holds no file to build from.`, { hint: "Does its .gcloudignore leave everything out?" });
}

async function* pack(cwd: string, paths: readonly string[], gzip: boolean): AsyncGenerator<Buffer> {
  const packed = create(
    {
      gzip,
      cwd,
      portable: true,
      noDirRecurse: true,
      mtime: MODIFIED,
      maxReadSize: 1024 * 1024,
      // Neither this user's umask, nor whether two files are one on this disk, is anything that a build should see.
      filter: (_, entry) => {
        const rights = 0o644 | (Number(entry.mode) & 0o100 ? 0o111 : 0);
        if ("nlink" in entry) Object.assign(entry, { nlink: 1, mode: (Number(entry.mode) & ~0o7777) | rights });
        return true;
      },
    },
    // tar would take a name that begins with @ for an archive to copy from.
    paths.map((path) => `./${path}`),
  );
  try {
    for await (const chunk of packed) yield chunk;
  } catch (error) {
    throw unreadable(error);
  }
}

/** A file that cannot be opened, or that goes or shrinks while it is read. */
function unreadable(error: unknown): unknown {
  const { path, code } = error as NodeJS.ErrnoException;
  if (error instanceof CliError || !path) return error;
  return new CliError("NOT_FOUND", `${path} cannot be read${code ? ` (${code})` : ""}.`, {
    hint: "Let nothing change the folder meanwhile, or leave the file out of the source: .gcloudignore",
    cause: error,
  });
}

import { create } from "tar";
import { listSource, sourceUnreadable } from "./files.ts";

/** npm's date for the files of packages: ZIP archives, which a build can make of the files, can't express dates in 1970. */
const MODIFIED = new Date("1985-10-26T08:15:00Z");

/**
 * The files that gcloud would send of a folder, as a gzipped tar, piece by piece: the same bytes for the same source, at any time and on any machine.
 * Of the modes, only the executable bit is preserved, as in git. Throws as `listSource` does.
 */
export async function* archiveSource(directory: string): AsyncGenerator<Buffer> {
  const paths = await listSource(directory);
  const packed = create(
    {
      gzip: true,
      cwd: directory,
      portable: true,
      noDirRecurse: true,
      mtime: MODIFIED,
      maxReadSize: 1024 * 1024,
      // A build sees neither this user's umask nor whether two files are the same file on this disk.
      filter: (_, entry) => {
        const rights = 0o644 | (Number(entry.mode) & 0o100 ? 0o111 : 0);
        if ("nlink" in entry) Object.assign(entry, { nlink: 1, mode: (Number(entry.mode) & ~0o7777) | rights });
        return true;
      },
    },
    // tar reads a name that begins with @ as an archive to copy from.
    paths.map((path) => `./${path}`),
  );
  try {
    for await (const chunk of packed) yield chunk;
  } catch (error) {
    throw sourceUnreadable(error);
  }
}

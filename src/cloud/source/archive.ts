import { create } from "tar";
import { listSource, sourceUnreadable } from "./files.ts";

/** As npm has it for its packages: in 1970, ZIP archives that a build makes of the files could not say when. */
const MODIFIED = new Date("1985-10-26T08:15:00Z");

/**
 * What gcloud would send of a folder, as a gzipped tar, piece by piece: the same bytes for the same source, whoever packs it where and when. Of modes,
 * only whether a file can be executed is kept, as git does. Throws as `listSource` does.
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
    throw sourceUnreadable(error);
  }
}

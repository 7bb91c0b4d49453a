import { randomBytes } from "node:crypto";
import { realpath, rename, rm, stat, open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CliError } from "../errors/cli-error.ts";
import { unwritable } from "../errors/file-error.ts";

/** A file that appears only when it is complete. */
export interface OutputFile {
  /** Writes the bytes, puts the file in its place and returns the number of bytes. */
  write(source: Readable): Promise<number>;
  /** Undoes everything, except after `write`. */
  discard(): Promise<void>;
}

/** Opens a file beside `path` that replaces it when complete. Throws CliError USAGE if it can't be written; the hint names `flag`. */
export async function openOutputFile(path: string, flag = "-o"): Promise<OutputFile> {
  try {
    const existing = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (existing?.isDirectory())
      throw new CliError("USAGE", `${path} is a directory.`, { hint: "Pass the path of a file in the directory." });
    // A link stays a link, and a device such as /dev/null must never be replaced by a file.
    const target = existing ? await realpath(path) : path;
    const isReplaced = !existing || existing.isFile();
    const temporary = isReplaced ? join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}.part`) : target;
    const file = await open(temporary, isReplaced ? "wx" : "w");
    return {
      async write(source) {
        const stream = file.createWriteStream();
        await pipeline(source, stream).catch(explain);
        if (isReplaced) await rename(temporary, target).catch(explain);
        return stream.bytesWritten;
      },
      async discard() {
        await file.close().catch(() => {});
        if (isReplaced) await rm(temporary, { force: true });
      },
    };
  } catch (error) {
    return explain(error);
  }

  function explain(error: unknown): never {
    if (error instanceof CliError) throw error;
    throw unwritable(path, error, { hint: `Choose another file with ${flag}.` });
  }
}

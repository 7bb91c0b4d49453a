import { randomBytes } from "node:crypto";
import { realpath, rename, rm, stat, open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CliError } from "../errors/cli-error.ts";
import { unwritable } from "../errors/file-error.ts";

/** A file that appears whole or not at all. */
export interface OutputFile {
  /** Takes the bytes, and puts the file in its place when the last has come; gives their number. */
  write(source: Readable): Promise<number>;
  /** Leaves everything as it was; nothing to do after `write`. */
  discard(): Promise<void>;
}

/** Opens a file beside `path` that takes its place once it is written. Throws CliError USAGE where nothing can be written there, and says by which flag another is named. */
export async function openOutputFile(path: string, flag = "-o"): Promise<OutputFile> {
  try {
    const there = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (there?.isDirectory()) throw new CliError("USAGE", `${path} is a folder.`, { hint: "Name a file in it." });
    // A link keeps pointing where it does; a device such as /dev/null must never be replaced by a file.
    const target = there ? await realpath(path) : path;
    const isReplaced = !there || there.isFile();
    const written = isReplaced ? join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}.part`) : target;
    const file = await open(written, isReplaced ? "wx" : "w");
    return {
      async write(source) {
        const stream = file.createWriteStream();
        await pipeline(source, stream).catch(explain);
        if (isReplaced) await rename(written, target).catch(explain);
        return stream.bytesWritten;
      },
      async discard() {
        await file.close().catch(() => {});
        if (isReplaced) await rm(written, { force: true });
      },
    };
  } catch (error) {
    return explain(error);
  }

  function explain(error: unknown): never {
    if (error instanceof CliError) throw error;
    throw unwritable(path, error, { hint: `Name another file: ${flag} FILE` });
  }
}

import { open } from "node:fs/promises";
import { CliError } from "../errors.ts";

/** Something to send, as it is read. */
export interface Input {
  readonly chunks: AsyncIterable<Buffer | string>;
  /** Bytes; undefined where it is no regular file. */
  readonly size?: number | undefined;
}

/** Opens a file or a pipe to send what is in it. Throws CliError NOT_FOUND, USAGE. */
export async function openInput(path: string): Promise<Input> {
  try {
    const file = await open(path);
    const stats = await file.stat();
    if (stats.isDirectory()) {
      await file.close();
      throw new CliError("USAGE", `${path} is a folder.`);
    }
    return { chunks: file.createReadStream(), size: stats.isFile() ? stats.size : undefined };
  } catch (error) {
    if (error instanceof CliError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") throw new CliError("NOT_FOUND", `There is no file ${path} to send.`);
    throw new CliError("USAGE", `${path} cannot be read: ${message}.`);
  }
}

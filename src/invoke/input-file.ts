import { createReadStream } from "node:fs";
import { access, constants, stat } from "node:fs/promises";
import { CliError } from "../errors/cli-error.ts";

/** Where request bodies come from. */
export interface BodySource {
  /** Absolute; relative paths are relative to it. */
  readonly cwd: string;
  readonly stdin: AsyncIterable<Buffer | string>;
}

/** Content to send while it is read. */
export interface Input {
  readonly chunks: AsyncIterable<Buffer | string>;
  /** Undefined if it isn't a regular file. */
  readonly sizeBytes?: number | undefined;
}

/** A file or a pipe to send, opened when it is read. Throws CliError NOT_FOUND, USAGE. */
export async function openInput(path: string): Promise<Input> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) throw new CliError("USAGE", `${path} is a folder.`);
    await access(path, constants.R_OK);
    return { chunks: read(path), sizeBytes: stats.isFile() ? stats.size : undefined };
  } catch (error) {
    throw explain(error, path);
  }
}

async function* read(path: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path) as AsyncIterable<Buffer>;
  } catch (error) {
    throw explain(error, path);
  }
}

function explain(error: unknown, path: string): CliError {
  if (error instanceof CliError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return new CliError("NOT_FOUND", `File not found: ${path}`);
  return new CliError("USAGE", `Can't read ${path}: ${message}.`);
}

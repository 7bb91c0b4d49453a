import { realpath, stat } from "node:fs/promises";
import { CliError } from "../../errors/cli-error.ts";
import { unwritable } from "../../errors/file-error.ts";
import { openPrivateFile } from "../../settings/private-files.ts";

/** A key file to be written, which appears whole or not at all, and which only its owner can read. */
export interface NewKeyFile {
  /** Writes the file (0600), which is on disk on return. Throws CONFLICT if another file has taken its place in the meantime. */
  write(text: string): void;
  /** Leaves everything as it was. Does nothing after `write`. */
  discard(): void;
}

/** Makes sure that a key file can be written before its key is created. Throws CONFLICT if a file exists that must not be replaced, USAGE if none can be written. */
export async function openNewKeyFile(path: string, { replace }: { readonly replace: boolean }): Promise<NewKeyFile> {
  const existing = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    return throwCliError(path, error);
  });
  if (existing?.isDirectory())
    throw new CliError("USAGE", `${path} is a directory.`, { hint: "Pass the path of a file in the directory." });
  if (existing && !existing.isFile())
    throw new CliError("USAGE", `${path} isn't a regular file.`, { hint: "Private keys are only written to regular files." });
  if (existing && !replace) throw alreadyExists(path);
  const withCliErrors = <T>(act: () => T): T => {
    try {
      return act();
    } catch (error) {
      return throwCliError(path, error as NodeJS.ErrnoException);
    }
  };
  const target = existing ? await realpath(path) : path;
  const { write, discard } = withCliErrors(() => openPrivateFile(target));
  return { discard, write: (text) => withCliErrors(() => write(text, { overwrite: replace })) };
}

function alreadyExists(path: string): CliError {
  return new CliError("CONFLICT", `${path} already exists.`, {
    hint: "Pass another file, or overwrite it with --force. If this is the only copy of a key, the key stays valid but can't be recovered.",
  });
}

function throwCliError(path: string, error: NodeJS.ErrnoException): never {
  if (error.code === "EEXIST") throw alreadyExists(path);
  throw unwritable(path, error, { hint: "Pass another file." });
}

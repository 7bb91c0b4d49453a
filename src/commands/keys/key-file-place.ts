import { randomBytes } from "node:crypto";
import { link, lstat, open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CliError } from "../../errors/cli-error.ts";
import { unwritable } from "../../errors/file-error.ts";

/** Where a key file is to be: it appears whole or not at all, and only its owner may read it. */
export interface KeyFilePlace {
  /** Writes the file (0600), on disk when it resolves. Throws CONFLICT where another has come in its place meanwhile. */
  write(text: string): Promise<void>;
  /** Leaves everything as it was; nothing to do after `write`. */
  discard(): Promise<void>;
}

/**
 * Makes sure that a key file can be written before its key is made. Throws CONFLICT where a file is there that is not to be replaced, USAGE where
 * none can be written.
 */
export async function openKeyFilePlace(path: string, { replace }: { readonly replace: boolean }): Promise<KeyFilePlace> {
  const there = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    return refuse(path, error);
  });
  if (there?.isDirectory()) throw new CliError("USAGE", `${path} is a folder.`, { hint: "Name a file in it." });
  if (there && !there.isFile())
    throw new CliError("USAGE", `${path} is a pipe or a device: a private key is written into files only.`, { hint: "Name a file." });
  if (there && !replace) throw taken(path);
  const target = there ? await realpath(path) : path;
  const written = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}.part`);
  const file = await open(written, "wx", 0o600).catch((error: NodeJS.ErrnoException) => refuse(path, error));

  const discard = async (): Promise<void> => {
    await file.close().catch(() => {});
    await rm(written, { force: true });
  };
  return {
    discard,
    async write(text) {
      try {
        await file.writeFile(text);
        await file.sync();
        await file.close();
        if (replace) await rename(written, target);
        else await moveUnlessThere(written, target);
      } catch (error) {
        await discard();
        refuse(path, error as NodeJS.ErrnoException);
      }
    },
  };
}

/** A link, unlike a renaming, fails where something is in the way; some file systems have none. */
async function moveUnlessThere(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
    await rm(from);
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    if (await lstat(to).catch(() => undefined)) throw taken(to);
    await rename(from, to);
  }
}

function taken(path: string): CliError {
  return new CliError("CONFLICT", `${path} is there already.`, {
    hint: "Name another file, or have it replaced with --force: a key that is only in it is lost then, and goes on being good.",
  });
}

function refuse(path: string, error: NodeJS.ErrnoException | CliError): never {
  if (error instanceof CliError) throw error;
  if (error.code === "EEXIST") throw taken(path);
  throw unwritable(path, error, { hint: "Name another file." });
}
